#!/usr/bin/env python3
"""How long a line that a rank on another node prints takes until `lockstep job stream` shows it.

The nodes are hosts in namespaces of this machine (tests/support/hosts.py; needs root): a network, processes and files of
their own, reached by ssh, no shared files. Every rank prints lines with its clock at irregular times (exponential waits).
Latency of a line: from just before the rank's print() to the read() that brings the line's end out of `lockstep job
stream`'s pipe, by one clock, for all hosts are this machine. Before a figure counts, each rank's lines must have come
whole, once and in order. What is judged: the 99th percentile over all lines of all ranks, against 1 s.

    ./x bench stream                                     # 64 ranks on 4 nodes, 32 lines a second in all, 20 s
    python3 benchmarks/stream.py --ranks 8 --nodes 2 --rate 4 --seconds 60
"""

import argparse
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

top = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(top / "tests/support"))
import hosts as rig  # noqa: E402

LIMIT_MS = 1000
PROGRAM = """import os, random, sys, time
rank, lines, rate = int(os.environ["RANK"]), int(sys.argv[1]), float(sys.argv[2])
waits = random.Random(rank)
for number in range(lines):
    time.sleep(waits.expovariate(rate))
    print(f"line {number} {time.time():.6f} {'x' * waits.randrange(60)}.", flush=True)
"""
LINE = re.compile(rb"\[(\d+)\] line (\d+) (\d+\.\d{6}) x*\.\n")

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--nodes", type=int, default=4)
parser.add_argument("--ranks", type=int, default=64)
parser.add_argument("--rate", type=float, default=32, help="lines a second, of all ranks together (32)")
parser.add_argument("--seconds", type=float, default=20, help="for how long ranks print (20)")
parser.add_argument("--build", default=str(top / "build/release"), help="the folder of the build")
args = parser.parse_args()
if args.nodes < 2 or args.ranks % args.nodes or args.rate <= 0:
    parser.error("--ranks must be a multiple of --nodes, of which there are 2 or more, and --rate above 0")
build = pathlib.Path(args.build).resolve()
lines = max(1, round(args.rate * args.seconds / args.ranks))


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def write_files(folder, hosts):
    (folder / "code").mkdir()
    (folder / "code/print.py").write_text(PROGRAM)
    (folder / "lab.yml").write_text(f"name: lab\ntype: amlcompute\nengine:\n  type: hosts\n  hosts: [{', '.join(hosts.names)}]\n"
                                    f"  ssh: {{config_file: {hosts.ssh_config}}}\n  shared_files: false\n")
    (folder / "job.yml").write_text(
        f"command: python3 print.py {lines} {args.rate / args.ranks}\ncode: code\ncompute: lab\n"
        f"resources: {{instance_count: {args.nodes}}}\n"
        f"distribution: {{type: mpi, process_count_per_instance: {args.ranks // args.nodes}}}\n")


def stream(hosts, folder, environment):
    """What was shown, as (bytes, when they were read)."""
    job = [str(build / "bin/lockstep"), "job"]
    submitted = hosts.run([*job, "create", "-f", "job.yml", "--name", "printing"], cwd=folder, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if submitted.returncode != 0:
        sys.exit(f"the job was not taken:\n{submitted.stdout}")
    follower = hosts.start([*job, "stream", "printing", "-q"], cwd=folder, env=environment, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
    pieces = []
    while piece := os.read(follower.stdout.fileno(), 1 << 16):
        pieces.append((piece, time.time()))
    if follower.wait() != 0:
        sys.exit(f"the run failed:\n{b''.join(piece for piece, _ in pieces[-20:]).decode(errors='replace')}")
    return pieces


def latencies_of(pieces):
    """Milliseconds by rank, of each line; ends the benchmark when a line is cut, missing, twice or out of order."""
    shown, ends, position = b"".join(piece for piece, _ in pieces), [], 0
    for piece, at in pieces:
        position += len(piece)
        ends.append((position, at))
    found, index = {rank: [] for rank in range(args.ranks)}, 0
    for match in LINE.finditer(shown):
        while ends[index][0] < match.end():
            index += 1
        of_rank = found[int(match[1])]
        if int(match[2]) != len(of_rank):
            sys.exit(f"rank {int(match[1])}: line {int(match[2])} was shown where {len(of_rank)} was due")
        of_rank.append((ends[index][1] - float(match[3])) * 1000)
    short = {rank: len(each) for rank, each in found.items() if len(each) != lines}
    if short or LINE.sub(b"", shown).strip():
        sys.exit(f"not all as printed: {lines} lines were due, these ranks have {short}; foreign: {LINE.sub(b'', shown)[:500]}")
    return found


if reason := rig.Hosts.missing():
    print(f"skipped: {reason}")
    sys.exit(0)
commit = subprocess.run(["git", "-C", str(top), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
print(f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, commit {commit}, load before {os.getloadavg()[0]:.1f}")
with tempfile.TemporaryDirectory(prefix="lockstep-stream-") as name, rig.Hosts(args.nodes, hidden=[build]) as hosts:
    folder = pathlib.Path(name)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("LOCKSTEP_", "MLFLOW_"))}
    environment |= {"LOCKSTEP_WORKSPACE": f"{folder}/ws", "LOCKSTEP_RUNTIME_DIR": f"{folder}/runtime"}
    write_files(folder, hosts)
    subprocess.run([build / "bin/lockstep", "compute", "create", "-f", "lab.yml"], cwd=folder, env=environment, check=True,
                   stdout=subprocess.DEVNULL)
    by_rank = latencies_of(stream(hosts, folder, environment))
    plan = json.loads((folder / "ws/runs/printing/plan.json").read_text())

print(f"{args.ranks} ranks on {args.nodes} nodes, {lines} lines each, {args.rate:g} a second in all; all came whole and in order; "
      f"load after {os.getloadavg()[0]:.1f}")
print(f"{'ms from print to stream':<24} {'lines':>6} {'p50':>8} {'p99':>8} {'max':>8}")
per_node = args.ranks // args.nodes
rows = [(plan["nodes"][node], [each for rank in range(node * per_node, (node + 1) * per_node) for each in by_rank[rank]])
        for node in range(args.nodes)]
rows.append(("all", [each for of_rank in by_rank.values() for each in of_rank]))
for title, values in rows:
    print(f"{title:<24} {len(values):>6} {statistics.median(values):>8.0f} {percentile(values, 0.99):>8.0f} {max(values):>8.0f}")
p99 = percentile(rows[-1][1], 0.99)
print(f"p99 {p99:.0f} ms: {'within' if p99 <= LIMIT_MS else 'OVER'} {LIMIT_MS} ms")
sys.exit(0 if p99 <= LIMIT_MS else 1)
