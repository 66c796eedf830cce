#!/usr/bin/env python3
"""What can be known of every CUDA kernel without a GPU, written to docs/gpu-kernels.md: which checks it has passed,
ptxas' reports, occupancy, what its PTX does on the interpreter (tests/ptx), and what that adds up to in a step of training.
Nothing is a measurement."""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests/ptx"))
import launches  # noqa: E402

NVCC = ROOT / ".cuda/nvidia/cu13/bin/nvcc"
PAGE = ROOT / "docs/gpu-kernels.md"
COUNTS = ROOT / "build/release/tests/ptx/ptx_counts"
STEP = ROOT / "build/release/tests/ptx/ptx_step"

TESTS = ROOT / "build/release/tests"
EMULATOR = TESTS / "gpu_emulation/test_gpu_emulation"  # run suite by suite, to tell which has launched what
WHOLE_PROGRAMS = {
    "ASan + UBSan": TESTS / "gpu_emulation/test_gpu_emulation_asan", "TSan": TESTS / "gpu_emulation/test_gpu_emulation_tsan",
    "PTX 7.5": TESTS / "ptx/test_ptx_75", "PTX 9.0": TESTS / "ptx/test_ptx_90",
}  # fmt: skip

# CUDA C++ programming guide, "Technical specifications per compute capability".
LIMITS = {
    "80": {"threads": 2048, "blocks": 32, "registers": 65536, "shared": 164 * 1024},
    "90": {"threads": 2048, "blocks": 32, "registers": 65536, "shared": 228 * 1024},
}

# Bytes and float32 operations (no tensor cores) a second, from NVIDIA's data sheets; T4's bytes from its 256 lines of
# 10 Gbit/s.
GPUS = {
    "A100 80GB SXM": (2039e9, 19.5e12),
    "H100 SXM": (3350e9, 67e12),
    "L4": (300e9, 30.3e12),
    "T4": (320e9, 8.1e12),
}

ABOUT = """# CUDA kernels, as compiled
Written by `./x bench gpu-static`. No figure here was measured on a GPU.

## Every kernel, and what has checked it
One row for every instance that nvcc compiles. A number under a test program is how often that launched it; all of the
program's tests passed. `ctest` fails where one of the programs never launches a kernel (`ptx.every_kernel_is_launched`), and
where sectors or bank passes exceed the limits named below (`ctest -L ptx`).
- **compared**: the suites whose tests launched it and compare results with the double-precision reference (those of
  `tests/kernels/every_back_end/`) with the CPU back-end's bits (`SameBits`), or
  with exact counts (`Counting`).
- **plain, ASan + UBSan, TSan**: on the emulator, the sources as g++ compiles them, in three builds.
- **PTX 7.5, 9.0**: on the interpreter, nvcc's PTX for that compute capability; it checks bounds, races and barriers, too.
- **sectors of stated**: what it moves, in pieces of 32 bytes, against what the header of its source derives; at most 1.10.
- **bank passes**: passes over shared memory against those without a bank conflict, at most 1.05. A pass serves 32 lanes of 4
  bytes, 16 of 8 or 8 of 16; lanes that want the same word share it.
- **registers, spills**: ptxas' (nvcc 13.0, -O3 -fmad=false), for sm_80 and sm_90; spills are bytes of local memory, stack
  included, and CI fails on any.
- **occupancy**: the share of a multiprocessor's threads that are there at once, computed from registers, shared memory and
  the block size.

{checks}
The last rows are NVIDIA's: the back-end calls them, and nothing here has run them.

## What was counted
While the PTX for compute capability 9.0 ran on the interpreter (docs/gpu.md) at the shape named:
- **sectors**: pieces of 32 bytes that a load or store of a warp touches, added up over all of them. A sector that is asked
  for again counts again, whether a cache would answer or not, so this is what the kernel asks of L1, at least what it moves
  through memory. *of stated*: as above; *of fewest*: against the bytes that it touched at all, each once for reading and once
  for writing. Where the first is 1 and the second is not, the header says why.
- **instructions**: of PTX, executed by threads, an element; a division counts as one, and is many in the hardware.

{counts}"""

STEP_ABOUT = """
## A step of training
Batch {batch}, float32, SGD with momentum, the default mlp (784-512-512-10) and cnn (32-64-fc128 on 28 x 28 images): forward,
backward and update, run layer by layer on the interpreter. MB: 10^6 bytes. *Our kernels*: their sectors, as above; *fewest*:
the bytes that each of these launches touched, each once. *Products* are cuBLASLt's, of the dense layers: their operands and
results once each. *Fused*: what would be left if every convolution were a matrix product, too, that makes its patches from the
images within itself, and everything else were done where a product reads or writes the value anyway: operands and results of
all products once each, 20 bytes a parameter for the optimizer (p, g, v read, p, v written; g must exist for the all-reduce) and
2 for each output of a pooling (its winner, written and read). A test holds *all* to 1.15 of it, at a batch of 16. *Pooling
too*: if these products also wrote and read no more than pooled results, as our convolutions do. What is moved beyond that is,
most of all, the weights once for each image and direction, x and dy once more for each group of channels, partial sums of
gradients, and images turned to plain ones between the last pooling and the dense layers, and back.

"""

PREDICTION = """
**Predictions, not measurements**, in microseconds a step: for each of our kernels, and for the products, the longer of bytes by
the GPU's bandwidth and operations by its float32 rate, all at published peaks that no program reaches: float32 without tensor
cores, as the back-end asks cuBLASLt for it. A kernel's operations are its instructions on float32, two for each, as if all
were multiply-adds. The time to start a launch is not in it: with so many launches of so little work it will be most of a step
on the larger GPUs. The mlp's tensors, and many of the cnn's, fit the L2 caches, which is not in it either. Read it for the
proportion between our kernels and the products. Bandwidth and rate: NVIDIA's data sheets for A100 80GB SXM (2039 GB/s, 19.5
TFLOP/s), H100 SXM (3350 GB/s, 67 TFLOP/s), L4 (300 GB/s, 30.3 TFLOP/s) and T4 (320 GB/s, 8.1 TFLOP/s).

"""


def occupancy(threads, registers, shared, limits):
    """Of the threads that a multiprocessor can hold, the share that it does."""
    registers_of_warp = (registers * 32 + 255) // 256 * 256
    warps = (threads + 31) // 32
    blocks = min(
        limits["blocks"],
        limits["threads"] // threads,
        limits["registers"] // (registers_of_warp * warps),
        limits["shared"] // (shared + 1024),  # 1 KiB a block is the system's
    )
    return blocks * threads / limits["threads"]


def report(source, arch):
    """kernel -> (registers, static shared bytes, local bytes) for every kernel of a source."""
    command = [NVCC, "-std=c++20", "-O3", "-fmad=false", "--expt-relaxed-constexpr", f"-gencode=arch=compute_{arch},code=sm_{arch}", "-Xptxas=-v"]
    done = subprocess.run([*command, f"-I{ROOT}", "-cubin", "-o", "/dev/null", source], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    text = subprocess.run(["c++filt"], input=done.stderr, capture_output=True, text=True, check=True).stdout
    kernels = {}
    for part in text.split("Compiling entry function")[1:]:
        name = launches.kernel_name(part)
        stack, stores, loads = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+)", part).groups()
        shared = re.search(r"(\d+) bytes smem", part)
        kernels[name] = (
            int(re.search(r"Used (\d+) registers", part).group(1)), int(shared.group(1)) if shared else 0,
            int(stack) + int(stores) + int(loads),
        )  # fmt: skip
    return kernels


def printed(program):
    """The JSON lines that a program of tests/ptx prints."""
    if not program.exists():
        sys.exit(f"{program} was not built: ./x build, with the CUDA toolkit there")
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def table(head, rows):
    if not all(cell for row in rows for cell in row):
        sys.exit("a table has an empty cell")
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def launched_by(program, *options):
    """kernel -> launches, of a test program whose tests all pass."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "launches"
        environment = {**os.environ, "LOCKSTEP_KERNEL_LAUNCHES": str(file)}
        done = subprocess.run([program, *options], env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{program.name} {' '.join(options)} failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
        return launches.launches_in(file)


def comparing_suites():
    on_gpus = ROOT / "tests/gpu_emulation/on_emulator"
    every_back_end = (ROOT / "tests/kernels/every_back_end").glob("*.cpp")
    tests = [*every_back_end, on_gpus / "same_bits_test.cpp", on_gpus / "count_up_test.cpp"]
    return {suite for file in tests for suite in re.findall(r"^TEST_F\((\w+),", file.read_text(), re.MULTILINE)}


# The back-end's calls of NVIDIA's libraries, by file, and where their stand-ins are tested.
LIBRARY_CALLS = {
    "cublasLtMatmul": ("matmul.cpp", "`Layers`"), "cudaMemcpyAsync": ("device.cpp", "`Runtime`"),
    "cudaMemsetAsync": ("device.cpp", "`Runtime`"), "cudaGraphLaunch": ("recording.cpp", "`Captures`"),
    "ncclAllReduce": ("nccl_sums.cpp", "`test_collectives`"),
    "ncclReduceScatter": ("nccl_sums.cpp", "`test_collectives`"), "ncclAllGather": ("nccl_sums.cpp", "`test_collectives`"),
}  # fmt: skip


def library_row(call):
    source, tests = LIBRARY_CALLS[call]
    return [
        f"`{call}`", f"`{source}`", f"n/a: its stand-in is ({tests})", *["n/a: a stand-in runs"] * 3, *["n/a: not our PTX"] * 2,
        *["n/a: NVIDIA's kernels"] * 6,
    ]  # fmt: skip


def launches_of_tests():
    """Column -> kernel -> launches, for each test program; and suite -> kernel -> launches, on the plain emulator."""
    listed = subprocess.run([EMULATOR, "--gtest_list_tests"], capture_output=True, text=True, check=True).stdout
    by_suite = {}
    for suite in re.findall(r"^(\S+)\.", listed, re.MULTILINE):
        by_suite[suite] = launched_by(EMULATOR, f"--gtest_filter={suite}.*")
    plain = sum(by_suite.values(), collections.Counter())
    return {"plain": plain} | {name: launched_by(program) for name, program in WHOLE_PROGRAMS.items()}, by_suite


def kernel_tables():
    """Of checks, and of counts."""
    programs, by_suite = launches_of_tests()
    comparing = sorted(comparing_suites() & by_suite.keys())
    counts = {each["kernel"]: each for each in printed(COUNTS)}
    checks = []
    counted = []
    for source in sorted((ROOT / "kernels/cuda").glob("*.cu")):
        of_80, of_90 = (report(source, arch) for arch in LIMITS)
        for name in sorted(of_90):
            compared = [suite for suite in comparing if by_suite[suite][name]]
            unseen = [program for program, launched in programs.items() if not launched[name]]
            if unseen or not compared or name not in counts:
                sys.exit(f"{source.name}: {name}: not launched in {unseen}, compared by {compared}, counted: {name in counts}")
            count = counts[name]
            threads = count["threads"]
            banks = "n/a: no shared memory"
            if count["fewest_passes"]:
                banks = f"{count['passes'] / count['fewest_passes']:.2f}"
            registers, shared, local = (f"{on_80} / {on_90}" for on_80, on_90 in zip(of_80[name], of_90[name]))
            occupancies = (
                occupancy(threads, reports[name][0], reports[name][1] + count["dynamic_shared"], LIMITS[arch])
                for arch, reports in (("80", of_80), ("90", of_90))
            )
            stated = f"{count['sectors_of_stated']:.2f}"
            checks.append([
                f"`{name}`", f"`{source.name}`", ", ".join(f"`{suite}`" for suite in compared),
                *(str(launched[name]) for launched in programs.values()), stated, banks, registers, local,
                *(f"{share:.0%}" for share in occupancies),
            ])  # fmt: skip
            counted.append([
                f"`{name}`", count["shape"], stated, f"{count['sectors_of_fewest']:.2f}", f"{count['instructions']:.1f}",
                str(threads), shared,
            ])  # fmt: skip
    checks += [library_row(call) for call in LIBRARY_CALLS]
    head = [
        "kernel", "source", "compared", *programs, "sectors of stated", "bank passes", "registers sm_80 / sm_90", "spills",
        "occupancy sm_80", "sm_90",
    ]  # fmt: skip
    of_counts = ["kernel", "shape", "sectors of stated", "of fewest", "instructions an element", "threads", "static shared bytes"]
    return table(head, checks), table(of_counts, counted)


def megabytes(count):
    return f"{count / 1e6:.1f}"


def step_table(steps):
    rows = []
    for step in steps:
        largest = sorted(step["kernels"].items(), key=lambda each: -each[1][0])[:3]
        moved = step["bytes"] + step["product_bytes"]
        rows.append([
            step["model"], str(step["launches"]), megabytes(step["bytes"]), megabytes(step["fewest_bytes"]),
            ", ".join(f"`{name}` {megabytes(count)}" for name, (count, _) in largest), str(step["products"]),
            megabytes(step["product_bytes"]), megabytes(moved), megabytes(step["fused_bytes"]),
            f"{moved / step['fused_bytes']:.2f}", megabytes(step["pooled_bytes"]), f"{step['fused_product_flops'] / 1e9:.2f}",
        ])  # fmt: skip
    head = [
        "model", "launches", "our kernels, MB", "fewest", "the most of it", "products", "their MB", "all", "fused",
        "all of fused", "fused, pooling too", "GFLOP of layers",
    ]  # fmt: skip
    return table(head, rows)


def prediction_table(steps):
    rows = []
    for step in steps:
        for gpu, (bandwidth, rate) in GPUS.items():

            def microseconds(moved, operations):
                return 1e6 * max(moved / bandwidth, operations / rate)

            ours = sum(microseconds(moved, 2 * floats) for moved, floats in step["kernels"].values())
            products = microseconds(step["product_bytes"], step["product_flops"])
            fused = microseconds(step["fused_bytes"] - step["fused_product_bytes"], 0) + microseconds(
                step["fused_product_bytes"], step["fused_product_flops"]
            )
            rows.append([
                step["model"], gpu, f"{ours:.0f}", f"{products:.0f}", f"**{ours + products:.0f}**", f"{fused:.0f}",
            ])  # fmt: skip
    return table(["model", "GPU", "our kernels", "products", "a step, predicted", "were all fused"], rows)


def main():
    if not NVCC.exists():
        sys.exit("no CUDA toolkit: ./x setup --cuda")
    steps = printed(STEP)
    checks, counts = kernel_tables()
    page = ABOUT.format(checks=checks, counts=counts) + STEP_ABOUT.format(batch=steps[0]["batch"]) + step_table(steps)
    PAGE.write_text(page + PREDICTION + prediction_table(steps))
    print(PAGE.read_text())


main()
