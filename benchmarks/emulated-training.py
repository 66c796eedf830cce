#!/usr/bin/env python3
"""The loss of one training on emulated GPUs beside that on the CPU, drawn into docs/gpu-training.svg.

Definition: the cnn, a slice of Fashion-MNIST (the first images of its two sets), the same options; the mean loss of each
global batch. The largest relative difference over all steps is printed, and the command fails above 1e-3. It shows that
the CUDA path computes what the CPU's does, and nothing about speed.

    ./x bench emulated-training
    python3 benchmarks/emulated-training.py --ranks 2 --steps 100
"""

import argparse
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile

top = pathlib.Path(__file__).resolve().parent.parent
page = top / "docs/gpu-training.svg"
plots = top / "build/plots"
data = pathlib.Path("/usr/share/datasets/fashion-mnist")

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--ranks", type=int, default=4, help="emulated GPUs")
parser.add_argument("--steps", type=int, default=64)
args = parser.parse_args()


def import_pyplot():
    if not (plots / "bin/python3").exists():
        print("installing matplotlib into build/plots ...", flush=True)
        subprocess.run(["/usr/bin/python3", "-m", "venv", str(plots)], check=True)
        subprocess.run([str(plots / "bin/pip"), "install", "-q", "matplotlib==3.10.7"], check=True)
    if sys.prefix != str(plots):
        os.execv(plots / "bin/python3", [str(plots / "bin/python3"), *sys.argv])
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "lockstep"  # the same curves give the same file
    import matplotlib.pyplot

    return matplotlib.pyplot


def write_slice(folder, prefix, count):
    """The first images of a set: IDX with the count in its header changed."""
    for kind, header, size in (("images-idx3", 16, 784), ("labels-idx1", 8, 1)):
        whole = gzip.decompress((data / f"{prefix}-{kind}-ubyte.gz").read_bytes())
        part = whole[:4] + count.to_bytes(4, "big") + whole[8:header + count * size]
        (folder / f"{prefix}-{kind}-ubyte").write_bytes(part)


def losses(program, ranks, folder, *options):
    command = ["mpirun", "--oversubscribe", "--bind-to", "none", "--mca", "pml", "ob1", "--mca", "btl", "self,vader",
               "-np", str(ranks), str(program), "--model", "cnn", "--layers", "8,16", "--dense", "32", "--data", folder,
               "--batch-size", "32", "--epochs", "100", "--max-steps", str(args.steps), "--lr", "0.01", "--log-every",
               "1", "--resume", "none", "--journal", f"{folder}/journal-{ranks}-{options[1]}",
               "--checkpoint-dir", f"{folder}/checkpoints-{ranks}-{options[1]}", *options]  # fmt: skip
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    done = subprocess.run(command, env={**os.environ, **root}, text=True, capture_output=True, timeout=1200)
    if done.returncode != 0:
        sys.exit(f"{program} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    journal = pathlib.Path(folder) / f"journal-{ranks}-{options[1]}/rank-0.jsonl"
    entries = [json.loads(line) for line in journal.read_text().splitlines()]
    found = {entry["step"]: entry["metrics"]["train_loss"] for entry in entries if "train_loss" in entry.get("metrics", {})}
    if sorted(found) != list(range(1, args.steps + 1)):
        sys.exit(f"{journal} has no loss for some steps")
    return [found[step] for step in sorted(found)]


def main():
    pyplot = import_pyplot()
    with tempfile.TemporaryDirectory() as folder:
        write_slice(pathlib.Path(folder), "train", 1024)
        write_slice(pathlib.Path(folder), "t10k", 64)
        programs = top / "build/release"
        cpu = losses(programs / "bin/lockstep-train", 1, folder, "--device", "cpu")
        gpu = losses(programs / "tests/gpu_emulation/train/lockstep-train-emulated", args.ranks, folder, "--device", "cuda")
    difference = max(abs(a - b) / b for a, b in zip(gpu, cpu))
    figure, axes = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
    steps = range(1, args.steps + 1)
    axes.plot(steps, cpu, linewidth=4, alpha=0.4, label="CPU, 1 rank")
    axes.plot(steps, gpu, linewidth=1, color="black", label=f"emulated GPUs, {args.ranks} ranks")
    axes.set(xlabel="step", ylabel="loss", title=f"cnn, batches of 32: they differ by at most {difference:.1e}")
    axes.legend()
    figure.savefig(page, metadata={"Date": None})
    print(f"{args.steps} steps; largest relative difference {difference:.2e}; loss {cpu[0]:.3f} to {cpu[-1]:.3f}; drew {page}")
    if not difference <= 1e-3:
        sys.exit("the two differ by more than 1e-3")


main()
