#!/usr/bin/env python3
"""How long a job waits for nodes that have to be started, and how soon they go again: `lockstep job create` in a cluster in
a box, whose cloud nodes need a second more to start than a process does.

  start:   from before `lockstep job create` on a partition without a node that is on, until the first rank runs (wanted:
           10 s), of a job on one node and of one on two
  down:    from the end of the run in its history until the last slurmd of its nodes has ended (wanted: the idle time and
           15 s)
  reason:  from before `lockstep job create` on a partition whose nodes are taken, until `lockstep job show` could tell why it
           waits (queue.txt is there; wanted: 2 s)

Each round begins with all nodes off. Every job must complete before its times count. Median and best are printed.

    ./x bench slurm
    python3 benchmarks/slurm.py --rounds 5
"""

import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

top = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(top / "tests/support"))
from waiting import wait_for  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--idle-seconds", type=int, default=2)
parser.add_argument("--resume-delay", type=float, default=1, help="seconds")
parser.add_argument("--lockstep", default=str(top / "build/release/bin/lockstep"))
args = parser.parse_args()
lockstep = str(pathlib.Path(args.lockstep).resolve())
NODES = 2
wanted_s = {"start, one node": 10, f"start, {NODES} nodes": 10, "down": args.idle_seconds + 15, "reason": 2}


class Cluster:
    def __enter__(self):
        self._room = tempfile.TemporaryDirectory(prefix="ls-bench-")
        self.folder = pathlib.Path(self._room.name)
        self.box = self.folder / "box"
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(("LOCKSTEP_", "SLURM", "OMPI_"))}
        self.environment |= {"LOCKSTEP_WORKSPACE": f"{self.folder}/ws", "LOCKSTEP_RUNTIME_DIR": f"{self.folder}/runtime",
                             "SLURM_CONF": f"{self.box}/slurm.conf"}
        self.run(lockstep, "cluster", "up", "--nodes", "1", "--cloud-nodes", str(NODES), "--idle-seconds", str(args.idle_seconds),
                 "--folder", self.box)
        resume = self.box / "lockstep/bin/resume"
        resume.write_text(resume.read_text().replace("#!/bin/sh\n", f"#!/bin/sh\nsleep {args.resume_delay}\n"))
        self.run(lockstep, "compute", "create", "-n", "cloud", "--max-instances", str(NODES), "--set", "engine.type=slurm", "--set",
                 f"engine.config_file={self.box}/slurm.conf", "--set", "engine.partition=cloud")
        return self

    def __exit__(self, *_):
        self.run(lockstep, "cluster", "down", "--folder", self.box)
        self._room.cleanup()

    def run(self, *words):
        done = subprocess.run(list(map(str, words)), env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            sys.exit(f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def create(self, name, command, nodes=1):
        file = self.folder / f"{name}.yml"
        file.write_text(f"command: {command}\ncompute: cloud\nresources: {{instance_count: {nodes}}}\n"
                        + ("distribution: {type: mpi}\n" if nodes > 1 else ""))
        begun = time.time()
        self.run(lockstep, "job", "create", "-f", file, "--name", name)
        return begun

    def run_folder(self, name):
        return self.folder / "ws/runs" / name

    def wait_for_end(self, name):
        ended = {"Completed", "Failed", "Canceled"}
        wait_for(lambda: self.show(name)["status"] in ended, f"{name} ends", deadline_s=180)
        if self.show(name)["status"] != "Completed":
            sys.exit(f"{name}: {self.show(name)['reason']}")

    def show(self, name):
        return json.loads(self.run(lockstep, "job", "show", name, "-o", "json"))

    def ended_at(self, name):
        return datetime.datetime.fromisoformat(self.show(name)["end_time"].replace("Z", "+00:00")).timestamp()

    def wait_until_off(self):
        """When the last slurmd has ended, as this program sees it."""
        files = [self.box / f"run/c{number}.json" for number in range(1, NODES + 1)]

        def alive(file):
            try:
                return pathlib.Path(f"/proc/{json.loads(file.read_text())['pid']}").exists()
            except OSError:
                return False
        wait_for(lambda: not any(map(alive, files)), "the nodes end", deadline_s=180)
        ended = time.time()
        states = lambda: self.run("sinfo", "--noheader", "--Node", "--partition=cloud", "--format=%t").split()  # noqa: E731
        wait_for(lambda: all(each == "idle~" for each in states()), "Slurm has them off", deadline_s=180)
        return ended

    def first_rank_runs(self, name):
        """The time that it said itself."""
        log = self.run_folder(name) / "logs/rank-0.log"

        def said():
            lines = log.read_text().splitlines() if log.exists() else []
            return next((float(line) for line in lines if not line.startswith("lockstep: ")), None)
        return wait_for(said, "rank 0 runs", deadline_s=180)


def one_round(cluster, number, times):
    for what, nodes in (("start, one node", 1), (f"start, {NODES} nodes", NODES)):
        name = f"start-{nodes}-{number}"
        begun = cluster.create(name, "date +%s.%N", nodes)
        times[what].append(cluster.first_rank_runs(name) - begun)
        cluster.wait_for_end(name)
        times["down"].append(cluster.wait_until_off() - cluster.ended_at(name))
    holder, waiter = f"holder-{number}", f"waiter-{number}"
    cluster.create(holder, "date +%s.%N; while [ ! -e go ]; do sleep 0.1; done", NODES)
    cluster.first_rank_runs(holder)
    begun = cluster.create(waiter, "hostname")
    note = cluster.run_folder(waiter) / "queue.txt"
    wait_for(lambda: note.exists() and note.read_text().strip(), "it says why it waits", deadline_s=60)
    times["reason"].append(time.time() - begun)
    reasons.add(note.read_text().strip())
    (cluster.run_folder(holder) / "snapshot/go").touch()
    for each in (holder, waiter):
        cluster.wait_for_end(each)
    cluster.wait_until_off()


times, reasons = {what: [] for what in wanted_s}, set()
with Cluster() as cluster:
    slurm = cluster.run("sinfo", "--version").strip()
    for number in range(args.rounds):
        one_round(cluster, number, times)
cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
commit = subprocess.run(["git", "-C", str(top), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
print(f"{cpu}, {os.cpu_count()} cores, {slurm}, commit {commit.strip()}, load {os.getloadavg()[0]:.1f}, resume delay "
      f"{args.resume_delay:g} s, idle time {args.idle_seconds} s, {args.rounds} rounds; seconds")
print(f"{'':16} {'median':>8} {'best':>8} {'worst':>8} {'wanted':>8}")
for what, values in times.items():
    print(f"{what:16} {statistics.median(values):8.2f} {min(values):8.2f} {max(values):8.2f} {wanted_s[what]:8}")
print("reasons:", *sorted(reasons), sep="\n  ")
sys.exit(0 if all(statistics.median(values) <= wanted_s[what] for what, values in times.items()) else 1)
