#!/usr/bin/env python3
"""One epoch of the cnn on Fashion-MNIST, 2 ranks x 1 thread: lockstep-train against PyTorch DDP over gloo.

Definition: samples per second of the training loop alone (no start-up, no evaluation), global batch 256, SGD with
momentum, float32, the same network. The two are run in turn, so that whatever else the machine does hits both; the
median and the best of the rounds are printed, and each side's test accuracy, so that a wrong run cannot win.

    ./x bench training            # 5 rounds; PyTorch 2.13.0 goes into build/peers (about 1 GB)
    python3 benchmarks/training.py --rounds 9 --ranks 1
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

top = pathlib.Path(__file__).resolve().parent.parent
peers = top / "build/peers"
data = "/usr/share/datasets/fashion-mnist"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--ranks", type=int, default=2)
parser.add_argument("--batch-size", type=int, default=256, help="global")
parser.add_argument("--lr", type=float, default=0.05)
args = parser.parse_args()


def prepare_peer():
    if not (peers / "bin/torchrun").exists():
        print("installing PyTorch 2.13.0 into build/peers ...", flush=True)
        subprocess.run(["/usr/bin/python3", "-m", "venv", str(peers)], check=True)
        subprocess.run([str(peers / "bin/pip"), "install", "-q", "torch==2.13.0", "numpy"], check=True)


def run(argv, environment):
    done = subprocess.run(argv, env={**os.environ, "OMP_NUM_THREADS": "1", **environment}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1200)
    if done.returncode != 0:
        sys.exit(f"{argv[0]} ended with {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout


def ours():
    with tempfile.TemporaryDirectory() as folder:
        run(["mpirun", "--oversubscribe", "--bind-to", "none", "--mca", "pml", "ob1", "--mca", "btl", "self,vader",
             "-np", str(args.ranks), str(top / "build/release/bin/lockstep-train"), "--model", "cnn", "--data", data,
             "--epochs", "1", "--batch-size", str(args.batch_size), "--lr", str(args.lr), "--schedule", "constant",
             "--warmup-steps", "0", "--journal", folder, "--resume", "none"],
            {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"})
        entries = [json.loads(line) for line in (pathlib.Path(folder) / "rank-0.jsonl").read_text().splitlines()]
    logged = [(entry["step"], entry["metrics"]) for entry in entries if "metrics" in entry]
    seconds, before = 0.0, 0
    for step, metrics in logged:
        if "step_time_ms" in metrics:
            seconds += metrics["step_time_ms"] / 1000 * (step - before)
            before = step
    accuracy = next(metrics["test_accuracy"] for _, metrics in logged if "test_accuracy" in metrics)
    return before * args.batch_size / seconds, accuracy


def theirs():
    text = run([str(peers / "bin/torchrun"), "--standalone", "--nproc-per-node", str(args.ranks),
                str(top / "benchmarks/peers/ddp_fashion_mnist.py"), "--data", data, "--epochs", "1",
                "--batch-size", str(args.batch_size), "--lr", str(args.lr)], {})
    result = json.loads(next(line for line in text.splitlines() if line.startswith("{")))
    return result["samples_per_s"], result["test_accuracy"]


prepare_peer()
sides = {"lockstep-train": (ours, []), "PyTorch DDP, gloo": (theirs, [])}
for turn in range(args.rounds):
    for name, (measure, results) in sides.items():
        results.append(measure())
        print(f"round {turn + 1}: {name}: {results[-1][0]:,.0f} samples/s, test accuracy {results[-1][1]:.4f}", flush=True)

commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=top, capture_output=True, text=True).stdout.strip()
print(f"\n{args.ranks} ranks x 1 thread, batch {args.batch_size}, {args.rounds} rounds, {os.cpu_count()} cores, "
      f"{platform.machine()}, commit {commit}\n{'':20} {'median':>10} {'best':>10}  samples/s   accuracy")
figures = {}
for name, (_, results) in sides.items():
    rates = [rate for rate, _ in results]
    figures[name] = statistics.median(rates), max(rates)
    print(f"{name:20} {figures[name][0]:10,.0f} {figures[name][1]:10,.0f}             "
          f"{min(a for _, a in results):.4f}-{max(a for _, a in results):.4f}")
(mine, mine_best), (peer, peer_best) = figures.values()
print(f"ratio of medians {mine / peer:.2f}, best to best {mine_best / peer_best:.2f}")
