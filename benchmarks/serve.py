#!/usr/bin/env python3
"""How fast `lockstep serve` takes what clients log, beside `mlflow server` on its default store.

Both serve an empty history on this machine's file system, one after the other in each round, to the same client program
(benchmarks/clients/http_load.cpp, whose own share of a CPU is printed), on the same cores. What a reply acknowledges
survives the death of every process on both sides; the files' synchronous modes are printed (SQLite's: FULL = 2 for
MLflow's, which runs in its default journal mode; ours is WAL with NORMAL = 1).

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
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

top = pathlib.Path(__file__).resolve().parent.parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--seconds", type=float, default=3)
parser.add_argument("--build", default=str(top / "build/release"))
args = parser.parse_args()
build = pathlib.Path(args.build).resolve()
mlflow = top / ".clients/bin/mlflow"
loads = {  # name: options of http_load, metrics of a request
    "log-metric": ["--metrics", "1", "--single"],
    "log-batch of 10": ["--metrics", "10"],
    "log-batch of 100": ["--metrics", "100"],
    "log-batch of 1000": ["--metrics", "1000"],
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def server(kind):
    """Its port and process; a folder of its own that goes with it."""
    with tempfile.TemporaryDirectory(prefix=f"{kind}-", dir=build) as folder:
        port = free_port()
        argv = [str(build / "bin/lockstep"), "serve", "--port", str(port), "--workspace", f"{folder}/.lockstep"]
        if kind == "mlflow":
            argv = [str(mlflow), "server", "--port", str(port), "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
                    "--artifacts-destination", f"{folder}/artifacts"]
        process = subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True, env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"})
        try:
            wait_for(port, process)
            yield port, process, pathlib.Path(folder)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(port, process):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as reply:
                if reply.status == 200:
                    return
        time.sleep(0.1)
    sys.exit("the server did not come up")


def load(port, clients, *options):
    done = subprocess.run([str(build / "benchmarks/http_load"), "--port", str(port), "--clients", str(clients),
                           "--seconds", str(args.seconds), *options], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"http_load {' '.join(options)} failed: {done.stderr}")
    return json.loads(done.stdout)


def synchronous(folder):
    """As a connection that the server opens has it, unless it says otherwise; ours does (history/store/database.cpp)."""
    file = next(folder.rglob("*.db"))
    with contextlib.closing(sqlite3.connect(file)) as database:
        return database.execute("PRAGMA journal_mode").fetchone()[0]


def compare():
    kinds = ["lockstep", "mlflow"] if mlflow.exists() else ["lockstep"]
    measured = {kind: {name: [] for name in loads} for kind in kinds}
    for _ in range(args.rounds):
        for kind in kinds:
            with server(kind) as (port, _, folder):
                for name, options in loads.items():
                    measured[kind][name].append(load(port, 64 if kind == "lockstep" else 8, *options))
                journal = synchronous(folder)
            print(f"{kind}: journal mode {journal}", file=sys.stderr, flush=True)
    print(f"{'metrics/s (median, best)':28}", *(f"{kind:>24}" for kind in kinds), f"{'times':>8} {'client CPU':>11}")
    for name in loads:
        cells, medians = [], []
        for kind in kinds:
            rates = [each["metrics_per_s"] for each in measured[kind][name]]
            medians.append(statistics.median(rates))
            cells.append(f"{medians[-1]:12,.0f}{max(rates):12,.0f}")
        share = statistics.median(each["own_cpu_share"] for each in measured["lockstep"][name])
        times = f"{medians[0] / medians[1]:8.0f}" if len(medians) == 2 else f"{'':8}"
        print(f"{name:28}", *cells, times, f"{share:10.2f}")
    if len(kinds) == 1:
        print("mlflow: not measured, as ./x setup test could not fetch it")
    return statistics.median(each["requests_per_s"] for each in measured["lockstep"]["log-batch of 100"])


def latency(requests_per_s):
    with server("lockstep") as (port, _, _):
        results = [load(port, 64, "--metrics", "100", "--rate", str(requests_per_s / 2)) for _ in range(args.rounds)]
    p99 = sorted(each["p99_ms"] for each in results)
    print(f"at {requests_per_s / 2:,.0f} requests/s of 100 metrics: p99 median {statistics.median(p99):.2f} ms, best "
          f"{p99[0]:.2f} ms, worst {p99[-1]:.2f} ms (5 wanted)")


def idle(count=10_000):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 1000), hard))
    count = min(count, min(hard, count + 1000) - 500)
    with server("lockstep") as (port, process, _):
        connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        for each in connections[:100]:  # the rest has not said a word
            each.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            each.recv(4096)
        wait_for(port, process)
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        kib = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))
        print(f"{count:,} idle connections: {kib / 1024:.1f} MiB (64 wanted)")


commit = subprocess.run(["git", "-C", str(top), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout
print(f"{platform.node()}, {os.cpu_count()} cores, commit {commit.strip()}, {args.rounds} rounds of {args.seconds} s")
half = compare()
latency(half)
idle()
