#!/usr/bin/env python3
"""What ptxas says of every CUDA kernel, and how many of its threads a multiprocessor holds: written to
docs/gpu-kernels.md. No GPU is needed, and nothing here is a measurement."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
NVCC = ROOT / ".cuda/nvidia/cu13/bin/nvcc"
PAGE = ROOT / "docs/gpu-kernels.md"

# Threads of a block, as the launchers start them.
THREADS = {
    "squares_of_blocks": 256, "sum_of_partial_sums": 512, "scale_all": 256, "sum_parts": 256, "dropout": 256,
    "max_pool_forward": 256, "max_pool_backward": 256, "sgd": 256, "adamw": 256, "gather": 256, "scatter": 256,
    "relu_forward": 256, "relu_backward": 256, "softmax_of_warps": 128, "softmax_of_blocks": 512, "add_rows": 512,
    "transpose_tiles": 256, "add_all": 256, "cast_all": 256, "bias_gelu_forward": 256, "bias_gelu_backward": 256,
    "norm_forward": 192, "norm_backward": 192, "embedding_forward": 192, "sort_rows": 256, "add_token_rows": 256,
    "sum_positions": 256, "forward_tiles": 128, "sum_along": 128, "query_gradients": 128, "key_gradients": 128,
}  # fmt: skip


def dynamic_shared(name, parameters):
    """Bytes that the launcher asks for, which ptxas cannot know."""
    parts = parameters.strip("<>").split(", ")
    element = 2 if parts[0] == "bf16" else 4
    if name == "forward_tiles":
        width, rows = int(parts[1]), 16 * int(parts[2])
        return ((rows + 32) * (width + 4) + rows * 36) * 4
    if name in ("query_gradients", "key_gradients"):
        width, rows = int(parts[1]), 16 * int(parts[2])
        return (2 * (rows + 32) * (width + 4) + rows * 36) * 4
    if parts[-1] == "true":
        return {"norm_forward": 768 * element, "norm_backward": 4 * 768 * 4, "softmax_of_blocks": 50257 * element}[name]
    return 0


# CUDA C++ programming guide, "Technical specifications per compute capability".
LIMITS = {
    "80": {"threads": 2048, "blocks": 32, "registers": 65536, "shared": 164 * 1024},
    "90": {"threads": 2048, "blocks": 32, "registers": 65536, "shared": 228 * 1024},
}


def occupancy(threads, registers, shared, limits):
    """Of the threads that a multiprocessor can hold, the share that it does."""
    registers_of_warp = (registers * 32 + 255) // 256 * 256
    warps = threads // 32
    blocks = min(
        limits["blocks"],
        limits["threads"] // threads,
        limits["registers"] // (registers_of_warp * warps),
        limits["shared"] // (shared + 1024),  # 1 KiB a block is the system's
    )
    return blocks * threads / limits["threads"]


def report(source, arch):
    """(kernel, registers, static shared bytes, spilled bytes, stack bytes) of every kernel in a source."""
    command = [NVCC, "-std=c++20", "-O3", "-fmad=false", "--expt-relaxed-constexpr", f"-gencode=arch=compute_{arch},code=sm_{arch}", "-Xptxas=-v"]
    done = subprocess.run([*command, f"-I{ROOT}", "-cubin", "-o", "/dev/null", source], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    text = subprocess.run(["c++filt"], input=done.stderr, capture_output=True, text=True, check=True).stdout
    for part in text.split("Compiling entry function")[1:]:
        name = re.search(r"(\w+)(<[^()]*>)?\(", part.replace("lockstep::kernels::Bf16", "bf16"))
        stack, stores, loads = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+)", part).groups()
        shared = re.search(r"(\d+) bytes smem", part)
        yield (
            name.group(1), name.group(2) or "", int(re.search(r"Used (\d+) registers", part).group(1)),
            int(shared.group(1)) if shared else 0, int(stores) + int(loads), int(stack),
        )  # fmt: skip


def main():
    if not NVCC.exists():
        sys.exit("no CUDA toolkit: ./x setup --cuda")
    rows = []
    for source in sorted((ROOT / "kernels/cuda").glob("*.cu")):
        kernels = {arch: list(report(source, arch)) for arch in LIMITS}
        for of_80, of_90 in zip(kernels["80"], kernels["90"]):
            name, parameter = of_80[:2]
            assert of_90[:2] == (name, parameter), "ptxas reports the kernels in another order"
            cells = [f"`{name}{parameter}`", f"`{source.name}`", str(THREADS[name])]
            for arch, (_, _, registers, shared, spilled, stack) in (("80", of_80), ("90", of_90)):
                shared += dynamic_shared(name, parameter)
                share = occupancy(THREADS[name], registers, shared, LIMITS[arch])
                cells += [str(registers), str(shared), str(spilled + stack), f"{share:.0%}"]
            rows.append("| " + " | ".join(cells) + " |")
    PAGE.write_text(
        "# CUDA kernels, as compiled\n"
        "Written by `./x bench gpu-static` from ptxas' reports (nvcc 13.0, -O3 -fmad=false). Occupancy is computed from\n"
        "registers, shared memory and the block size: the share of a multiprocessor's threads that are there at once.\n"
        "Shared bytes are those of rows of 768 columns, and of a softmax over 50,257 classes, where sizes decide; a share\n"
        "of 0% is a block that does not fit there and is not started. Local memory is spills and stack; CI fails on any.\n"
        "No figure here was measured on a GPU.\n\n"
        "| kernel | source | threads | sm_80: registers | shared bytes | local bytes | occupancy | sm_90: registers |"
        " shared bytes | local bytes | occupancy |\n|---|---|---|---|---|---|---|---|---|---|---|\n"
        + "\n".join(rows) + "\n"
    )  # fmt: skip
    print(PAGE.read_text())


main()
