#!/usr/bin/env python3
"""What starting a run through lockstep costs: `lockstep run` against the same command without it.

Definition: wall clock of the whole command, from before its start to after its end, output into a pipe.
  hello:  lockstep run hello.yml             against  bash -c COMMAND                      (budget: 60 ms more)
  mpi:    lockstep run hello-mpi.yml         against  the same mpirun line without lockstep (budget: 100 ms more)
The four are run in turn, so that whatever else the machine does hits all; medians of the rounds and their spread are
printed, then where the time of lockstep's goes: the command's own stages (LOCKSTEP_TRACE) and the run's states from its
history. Every output is compared with what it must be before a time counts.

    ./x bench launch                      # 20 rounds
    python3 benchmarks/launch.py --rounds 50 --lockstep build/release/bin/lockstep
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

top = pathlib.Path(__file__).resolve().parent.parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--rounds", type=int, default=20)
parser.add_argument("--lockstep", default=str(top / "build/release/bin/lockstep"))
args = parser.parse_args()
lockstep = str(pathlib.Path(args.lockstep).resolve())
folder = tempfile.TemporaryDirectory(prefix="lockstep-launch-")
environment = {key: value for key, value in os.environ.items() if not key.startswith(("LOCKSTEP_", "OMPI_"))}
environment |= {"LOCKSTEP_WORKSPACE": f"{folder.name}/workspace", "LOCKSTEP_RUNTIME_DIR": f"{folder.name}/runtime",
                "LOCKSTEP_CACHE": f"{folder.name}/cache", "LOCKSTEP_SLOTS": "2"}


def timed(argv, extra, wanted):
    """Milliseconds, the time of its start, and its stderr; ends the benchmark when the output is wrong."""
    begin = time.time()
    done = subprocess.run(argv, cwd=folder.name, env=environment | extra, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=120)
    took = (time.time() - begin) * 1000
    if done.returncode != 0 or not all(line in done.stdout for line in wanted):
        sys.exit(f"{argv} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return took, begin * 1000, done.stderr


def plan_of(file):
    done = subprocess.run([lockstep, "run", "--dry-run", "-o", "json", file], cwd=folder.name, env=environment,
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def without_lockstep(plan):
    """The argument list that the plan starts, with the entrypoint between mpirun and the command taken out."""
    argv = plan["argv"]
    at = argv.index("entrypoint")
    return argv[:at - 1] + argv[argv.index("--", at) + 1:]


def milliseconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def stages_of(begin, took, stderr, name):
    """Every stage of one run with its time after the command's start."""
    stages = [(float(line.split()[1]) - begin, " ".join(["command:"] + line.split()[2:]))
              for line in stderr.splitlines() if line.startswith("lockstep-trace")]
    job = subprocess.run([lockstep, "job", "show", name, "-o", "json"], cwd=folder.name, env=environment,
                         capture_output=True, text=True, check=True)
    stages += [(milliseconds(change["time"]) - begin, "run: " + change["status"])
               for change in json.loads(job.stdout)["state_history"]]
    return sorted(stages) + [(took, "command: ended")]


def measure(kind, file, wanted, budget):
    plan = plan_of(file)
    bare = without_lockstep(plan)
    extra = {key: value for key, value in plan["environment"].items() if not key.startswith("LOCKSTEP_")}
    timed(bare, extra, wanted)  # once, so that every program is in the page cache
    timed([lockstep, "run", file], {}, wanted)
    bare_ms, ours_ms, stages = [], [], {}
    for number in range(args.rounds):
        bare_ms.append(timed(bare, extra, wanted)[0])
        name = f"{kind}-{number}"
        took, begin, stderr = timed([lockstep, "run", file, "--name", name], {"LOCKSTEP_TRACE": "1"}, wanted)
        ours_ms.append(took)
        for at, stage in stages_of(begin, took, stderr, name):
            stages.setdefault(stage, []).append(at)
    more = statistics.median(ours_ms) - statistics.median(bare_ms)
    print(f"\n{kind}: median of {args.rounds} (lowest to highest), ms")
    for title, values in ((" ".join(bare)[:60], bare_ms), (f"lockstep run {file}", ours_ms)):
        print(f"  {statistics.median(values):8.1f}  ({min(values):.1f} to {max(values):.1f})  {title}")
    print(f"  {more:8.1f}  more through lockstep: {'within' if more <= budget else 'OVER'} the budget of {budget} ms")
    print("  where it goes, ms after the start (median):")
    before = 0.0
    for stage, at in sorted(((stage, statistics.median(values)) for stage, values in stages.items()), key=lambda s: s[1]):
        print(f"  {at:8.1f}  (+{at - before:.1f})  {stage}")
        before = at
    return more <= budget


(pathlib.Path(folder.name) / "hello.yml").write_text("command: echo hello world\n")
(pathlib.Path(folder.name) / "hello-mpi.yml").write_text(
    "command: echo hello $OMPI_COMM_WORLD_RANK\ndistribution: {type: mpi, process_count_per_instance: 2}\n")
commit = subprocess.run(["git", "-C", str(top), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
print(f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, commit {commit}, load {os.getloadavg()[0]:.1f}")
good = measure("hello", "hello.yml", ["hello world\n"], 60)
good = measure("mpi", "hello-mpi.yml", ["hello 0\n", "hello 1\n"], 100) and good
sys.exit(0 if good else 1)
