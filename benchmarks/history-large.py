#!/usr/bin/env python3
"""`lockstep serve` over a large history, as programs and people ask it: 200,000 runs and 103 million metric points.

benchmarks/generate/large_history.cpp makes it once, in build/bench/large (about 5 GB; minutes), and says what is in it.

Each time is one request over a connection that stands, to the last byte of its reply; of pages, from the address to the
moment when what the row names is drawn, by Chromium's own clock, with an empty cache of its own. Warm: after one request
of the kind, 20 and more in turn. Cold: the first request of a server that has just been started, with the files of the
history dropped from the system's cache (posix_fadvise; how much then came from the disk is printed).

    ./x bench history --large
    python3 benchmarks/history-large.py --repeats 50 --no-pages
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import platform
import sqlite3
import statistics
import subprocess
import sys
import time
import urllib.parse

top = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(top / "benchmarks/clients"), str(top / "tests/clients")]
import servers  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--repeats", type=int, default=20)
parser.add_argument("--cold", type=int, default=5, help="fresh servers for each row")
parser.add_argument("--build", default=str(top / "build/release"))
parser.add_argument("--folder", default=str(top / "build/bench/large"))
parser.add_argument("--no-pages", action="store_true", help="without Chromium")
parser.add_argument("--only", default="", help="rows whose name has this text")
args = parser.parse_args()
build = pathlib.Path(args.build).resolve()
workspace = pathlib.Path(args.folder).resolve() / ".lockstep"

CLAUSES = "metrics.val_loss < 0.5 and params.learning_rate = '0.01'"


class Server:
    def __enter__(self):
        command = [str(build / "bin/lockstep"), "serve", "--port", "0", "--workspace", str(workspace)]
        self.process, self.url = servers.start_serving(command)
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc, timeout=60)
        self.connection.connect()
        return self

    def __exit__(self, *_):
        self.connection.close()
        servers.end_serving(self.process)

    def ask(self, path, body=None):
        """(milliseconds, the reply's bytes)"""
        begin = time.perf_counter()
        if body is None:
            self.connection.request("GET", path)
        else:
            self.connection.request("POST", path, body, {"Content-Type": "application/json"})
        reply = self.connection.getresponse()
        text = reply.read()
        took = 1000 * (time.perf_counter() - begin)
        if reply.status != 200:
            sys.exit(f"{path}: {reply.status} {text[:300]}")
        return took, text

    def from_disk(self):
        lines = pathlib.Path(f"/proc/{self.process.pid}/io").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("read_bytes")).split()[1])


def drop_cached():
    for file in workspace.glob("history.db*"):
        with file.open("rb") as open_file:
            os.fsync(open_file.fileno())
            os.posix_fadvise(open_file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Ids:
    """What the rows name, by the names that the generator gave."""

    def __init__(self, server):
        def run(experiment, name):
            body = {"experiment_ids": [experiment], "filter": f"attributes.run_name = '{name}'", "max_results": 1}
            _, text = server.ask("/api/2.0/mlflow/runs/search", json.dumps(body))
            return json.loads(text)["runs"][0]["info"]["run_id"]

        _, text = server.ask("/api/2.0/mlflow/experiments/search", json.dumps({"max_results": 1000}))
        self.experiments = {each["name"]: each["experiment_id"] for each in json.loads(text)["experiments"]}
        first = self.experiments["team-00"]
        self.long, self.wide = run(first, "long"), run(first, "wide")
        self.usual = run(self.experiments["team-07"], "run-139999")


def search(experiments, page):
    return "/api/2.0/mlflow/runs/search", json.dumps({"experiment_ids": experiments, "filter": CLAUSES, "max_results": page})


def rows_of(ids):
    """(what, wanted ms, path, body)"""
    teams = [each for name, each in ids.experiments.items() if name.startswith("team-")]
    everything = list(ids.experiments.values())
    curves = f"/api/v1/jobs/{ids.long}/curves"
    metrics = f"/api/v1/jobs/{ids.wide}/metrics?max_results=100"
    part = "&from=400000&to=500000"
    return [
        ("search, 5,000 runs: page of 100", 50, *search(teams[1:2], 100)),
        ("search, 5,000 runs: page of 1,000", 50, *search(teams[1:2], 1000)),
        ("search, 100,000 runs: page of 100", 50, *search(teams, 100)),
        ("search, 100,000 runs: page of 1,000", 50, *search(teams, 1000)),
        ("search, all 200,000: page of 100", 50, *search(everything, 100)),
        ("curve of 1,000,000 points", 100, f"{curves}?key=loss", None),
        ("curve of 1,000,000 points, by time", 100, f"{curves}?key=loss&axis=time", None),
        ("curve of 1,000,000 points, a tenth of it", 100, f"{curves}?key=loss{part}", None),
        ("run with 100,000 metrics: job", 1000, f"/api/v1/jobs/{ids.wide}", None),
        ("run with 100,000 metrics: the first 100", 50, metrics, None),
        ("run with 100,000 metrics: search, 200 match", 50, f"{metrics}&contains=channel-123", None),
        ("run with 100,000 metrics: search, one matches", 50, f"{metrics}&contains=099/channel-499/norm", None),
    ]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def line(what, wanted, warm, cold=(), disk=()):
    median = statistics.median(warm)
    met = "" if wanted is None else "yes" if median < wanted else "NO"
    cells = [f"{median:9.1f}", f"{percentile(warm, 0.99):9.1f}", f"{wanted or '':>7}", f"{met:>4}"]
    if cold:
        cells += [f"{statistics.median(cold):9.1f}", f"{max(cold):9.1f}", f"{statistics.median(disk) / 2**20:8.1f}"]
    print(f"{what:46}", *cells, flush=True)


def heading(what):
    print(f"\n{what:46}", f"{'median ms':>9} {'p99':>9} {'wanted':>7} {'met':>4} {'cold':>9} {'worst':>9} {'MiB read':>8}", flush=True)


def measure(rows):
    heading("over HTTP")
    with Server() as server:
        warm = {}
        for what, _, path, body in rows:
            server.ask(path, body)
            warm[what] = [server.ask(path, body)[0] for _ in range(args.repeats)]
    for what, wanted, path, body in rows:
        cold, disk = [], []
        for _ in range(args.cold):
            with Server() as server:
                server.ask("/health")
                drop_cached()
                before = server.from_disk()
                cold.append(server.ask(path, body)[0])
                disk.append(server.from_disk() - before)
        line(what, wanted, warm[what], cold, disk)


def measure_first_looks(ids):
    """Nobody has looked at the long curve yet, so that its blocks are laid (history/store/curve_blocks.hpp)."""
    what = "curve of 1,000,000 points, first look"
    if args.only not in what:
        return
    forget = ("DELETE FROM curve_blocks WHERE series IN "
              "(SELECT s.series FROM series s JOIN runs r ON s.run = r.number WHERE r.run_id = ?)")
    took = []
    with Server() as server:
        for _ in range(args.cold):
            with contextlib.closing(sqlite3.connect(workspace / "history.db", timeout=60)) as database, database:
                database.execute(forget, (ids.long,))
            took.append(server.ask(f"/api/v1/jobs/{ids.long}/curves?key=loss")[0])
    line(what, None, took)


def measure_pages(ids):
    try:
        from large_pages import Pages
    except ModuleNotFoundError as missing:
        print(f"pages: not measured, there is no {missing.name} (./x setup test; Debian's /usr/bin/python3 has it)")
        return
    heading("in Chromium")
    with Server() as server, Pages(server.url) as pages:
        for what, wanted, place, drawn in pages.rows(ids):
            if args.only in what:
                pages.opened(place, drawn)
                line(what, wanted, [pages.opened(place, drawn) for _ in range(args.repeats)])


subprocess.run([str(build / "benchmarks/large_history"), args.folder], check=True)
commit = subprocess.run(["git", "-C", str(top), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout
size = sum(each.stat().st_size for each in workspace.glob("history.db*"))
print(f"{platform.node()}, {os.cpu_count()} cores, commit {commit.strip()}, a history of {size / 1e9:.1f} GB")
with Server() as asked:
    named = Ids(asked)
measure([row for row in rows_of(named) if args.only in row[0]])
measure_first_looks(named)
if not args.no_pages:
    measure_pages(named)
