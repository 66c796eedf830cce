#!/usr/bin/env python3
"""How fast `lockstep serve` takes what clients log and finds it again, beside `mlflow server` on its default store and the
other servers for MLflow's clients (benchmarks/peers/tracking_servers.py). Wanted: 10 times the best of them.

All serve an empty history on this machine's file system, one after the other in each round, to the same client program
(benchmarks/clients/http_load.cpp, whose own share of a CPU is printed), on the same cores: 64 connections to ours, 8 to
each of the others, where more make it no faster. What a reply acknowledges survives the death of every process on all
sides. With --durable (SQLite's synchronous=FULL) it survives a power loss, too, as it does with MLflow, whose commits are
SQLite's default: that column is the one to compare. fasttrackml's do not (a sync for some 50 commits) unless told so: it is
measured both ways. To create a run syncs with ours in any case. The journal modes of the files are printed.

For searches each holds 10,000 runs of 5 params and 5 metrics, and is asked by 8 connections for the first 100 of which a
metric and a param are so; MLflow's own are written into its database, as its server would take minutes.

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
sys.path[:0] = [str(top / "tests/clients"), str(top / "benchmarks/peers")]
import mlflow_rows  # noqa: E402
from servers import Lockstep, Mlflow  # noqa: E402
from tracking_servers import Fasttrackml, Missing, MlflowGo  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--seconds", type=float, default=2)
parser.add_argument("--only", nargs="+", choices=["compare", "search", "latency", "idle"],
                    default=["compare", "search", "latency", "idle"])
parser.add_argument("--build", default=str(top / "build/release"))
args = parser.parse_args()
build = pathlib.Path(args.build).resolve()
python = top / ".clients/bin/python"
tempfile.tempdir = str(build)  # where a disk is
runs = 10_000
loads = {  # name: options of http_load, what is counted
    "create-run": (["--create"], "requests_per_s"),
    "log-metric": (["--metrics", "1", "--single"], "metrics_per_s"),
    "log-batch of 10": (["--metrics", "10"], "metrics_per_s"),
    "log-batch of 100": (["--metrics", "100"], "metrics_per_s"),
    "log-batch of 1000": (["--metrics", "1000"], "metrics_per_s"),
}


def mlflow_server():
    if not python.exists():
        raise Missing("./x setup test could not fetch it")
    return Mlflow(python, options=())


kinds = {
    "lockstep": lambda: Lockstep(build),
    "lockstep --durable": lambda: Lockstep(build, ["--durable"]),
    "mlflow": mlflow_server,
    "mlflow-go": MlflowGo,
    "fasttrackml": Fasttrackml,
    "fasttrackml FULL": lambda: Fasttrackml("?_synchronous=FULL"),
}
compared = "lockstep --durable"
not_as_durable = "fasttrackml"
is_ours = lambda kind: kind.startswith("lockstep")


@contextlib.contextmanager
def server(kind):
    one = kinds[kind]()
    try:
        yield int(one.url.rsplit(":", 1)[1]), one
    finally:
        one.stop()


def leave_out_what_is_missing():
    for kind in [each for each in kinds if not is_ours(each)]:
        try:
            kinds[kind]().stop()
        except (Missing, AssertionError) as why:
            print(f"{kind}: not measured: {str(why).strip().splitlines()[-1]}", flush=True)
            del kinds[kind]


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


def heading(what):
    print(f"\n{what:24}", *(f"{kind:>22}" for kind in kinds), f"{'times the best peer, as durable':>34}", flush=True)


def row(name, rates):
    """`rates`: of each kind; the median and the best are shown."""
    medians = {kind: statistics.median(each) for kind, each in rates.items()}
    cells = [f"{medians[kind]:12,.0f} /{max(rates[kind]):8,.0f}" for kind in kinds]
    others = {kind: median for kind, median in medians.items() if not is_ours(kind)}
    durable = [median for kind, median in others.items() if kind != not_as_durable]
    times = "".join(f"{medians[compared] / max(each):17,.1f}" for each in (others.values(), durable) if each)
    print(f"{name:24}", *cells, times, flush=True)


def compare():
    measured = {name: {kind: [] for kind in kinds} for name in loads}
    journals, shares = {}, []
    for _ in range(args.rounds):
        for kind in kinds:
            with server(kind) as (port, one):
                for name, (options, counted) in loads.items():
                    result = load(port, 64 if is_ours(kind) else 8, *options)
                    measured[name][kind].append(result[counted])
                    shares.append(result["own_cpu_share"])
                journals[kind] = journal_mode(one)
    heading("a second (median / best)")
    for name, rates in measured.items():
        row(name, rates)
    print(f"journal modes: {journals}; the client took {min(shares):.2f} to {max(shares):.2f} of a CPU")


def search():
    measured, medians = {}, {}
    for kind in kinds:
        with server(kind) as (port, one):
            if kind.startswith("mlflow"):
                mlflow_rows.fill(next(pathlib.Path(one.folder.name).rglob("history.db")), runs)
            else:
                load(port, 8, "--fill", str(runs))
            results = [load(port, 8, "--search") for _ in range(args.rounds)]
        measured[kind] = [each["requests_per_s"] for each in results]
        medians[kind] = statistics.median(each["median_ms"] for each in results)
    heading("a second (median / best)")
    row(f"search, {runs:,} runs", measured)
    print("milliseconds of a search:", ", ".join(f"{kind} {each:.1f}" for kind, each in medians.items()))


def rate_of_batches():
    with server("lockstep") as (port, _):
        return load(port, 64, "--metrics", "100")["requests_per_s"]


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
leave_out_what_is_missing()
if "compare" in args.only:
    compare()
if "search" in args.only:
    search()
if "latency" in args.only:
    latency(rate_of_batches())
if "idle" in args.only:
    idle()
