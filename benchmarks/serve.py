#!/usr/bin/env python3
"""How fast `lockstep serve` takes what clients log, beside `mlflow server` on its default store.

Both serve an empty history on this machine's file system, one after the other in each round, to the same client program
(benchmarks/clients/http_load.cpp, whose own share of a CPU is printed), on the same cores. What a reply acknowledges
survives the death of every process on both sides. With --durable (SQLite's synchronous=FULL) it survives a power loss,
too, as it does with MLflow, whose commits are SQLite's default: that column is the one to compare. The journal modes of
the files are printed.

Then `lockstep serve` alone: at half of its rate, with requests that are due at fixed times, the 99th percentile of their
times (wanted: 5 ms), and its memory with 10,000 connections that say nothing (wanted: 64 MiB at most).

    ./x bench serve
    python3 benchmarks/serve.py --rounds 5 --seconds 3
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import resource
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import urllib.request

top = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(top / "tests/clients"))
from servers import Lockstep, Mlflow  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--seconds", type=float, default=3)
parser.add_argument("--build", default=str(top / "build/release"))
args = parser.parse_args()
build = pathlib.Path(args.build).resolve()
python = top / ".clients/bin/python"
tempfile.tempdir = str(build)  # where a disk is
loads = {  # name: options of http_load, metrics of a request
    "log-metric": ["--metrics", "1", "--single"],
    "log-batch of 10": ["--metrics", "10"],
    "log-batch of 100": ["--metrics", "100"],
    "log-batch of 1000": ["--metrics", "1000"],
}


@contextlib.contextmanager
def server(kind):
    if kind == "mlflow":
        one = Mlflow(python, options=())
    else:
        one = Lockstep(build, kind.split()[1:])  # "lockstep --durable"
    try:
        yield int(one.url.rsplit(":", 1)[1]), one
    finally:
        one.stop()


def load(port, clients, *options):
    done = subprocess.run([str(build / "benchmarks/http_load"), "--port", str(port), "--clients", str(clients),
                           "--seconds", str(args.seconds), *options], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"http_load {' '.join(options)} failed: {done.stderr}")
    return json.loads(done.stdout)


def journal_mode(one):
    file = next(pathlib.Path(one.folder.name).rglob("history.db"))
    with contextlib.closing(sqlite3.connect(file)) as database:
        return database.execute("PRAGMA journal_mode").fetchone()[0]


def compare():
    kinds = ["lockstep", "lockstep --durable"] + (["mlflow"] if python.exists() else [])
    measured = {kind: {name: [] for name in loads} for kind in kinds}
    for _ in range(args.rounds):
        for kind in kinds:
            with server(kind) as (port, one):
                for name, options in loads.items():
                    measured[kind][name].append(load(port, 8 if kind == "mlflow" else 64, *options))
                journal = journal_mode(one)
            print(f"{kind}: journal mode {journal}", file=sys.stderr, flush=True)
    print(f"{'metrics/s (median, best)':28}", *(f"{kind:>24}" for kind in kinds), f"{'times':>8} {'client CPU':>11}")
    for name in loads:
        cells, medians = [], []
        for kind in kinds:
            rates = [each["metrics_per_s"] for each in measured[kind][name]]
            medians.append(statistics.median(rates))
            cells.append(f"{medians[-1]:12,.0f}{max(rates):12,.0f}")
        share = statistics.median(each["own_cpu_share"] for each in measured["lockstep"][name])
        times = f"{medians[1] / medians[2]:8.0f}" if len(medians) == 3 else f"{'':8}"
        print(f"{name:28}", *cells, times, f"{share:10.2f}")
    if len(kinds) == 2:
        print("mlflow: not measured, as ./x setup test could not fetch it")
    return statistics.median(each["requests_per_s"] for each in measured["lockstep"]["log-batch of 100"])


def latency(requests_per_s):
    with server("lockstep") as (port, _):
        results = [load(port, 64, "--metrics", "100", "--rate", str(requests_per_s / 2)) for _ in range(args.rounds)]
    p99 = sorted(each["p99_ms"] for each in results)
    print(f"at {requests_per_s / 2:,.0f} requests/s of 100 metrics: p99 median {statistics.median(p99):.2f} ms, best "
          f"{p99[0]:.2f} ms, worst {p99[-1]:.2f} ms (5 wanted)")


def idle(count=10_000):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 1000), hard))
    count = min(count, min(hard, count + 1000) - 500)
    with server("lockstep") as (port, one):
        connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        for each in connections[:100]:  # the rest has not said a word
            each.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            each.recv(4096)
        with urllib.request.urlopen(f"{one.url}/health", timeout=20):  # they are all taken in
            pass
        status = pathlib.Path(f"/proc/{one.process.pid}/status").read_text()
        kib = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))
        print(f"{count:,} idle connections: {kib / 1024:.1f} MiB (64 wanted)")


commit = subprocess.run(["git", "-C", str(top), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout
print(f"{platform.node()}, {os.cpu_count()} cores, commit {commit.strip()}, {args.rounds} rounds of {args.seconds} s")
half = compare()
latency(half)
idle()
