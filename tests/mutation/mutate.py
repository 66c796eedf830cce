#!/usr/bin/env python3
"""Changes one line of the GPU code at a time and looks whether a test notices.

    python3 tests/mutation/mutate.py --count 20 --seed 7 --only kernels/cuda/relu.cu
    python3 tests/mutation/mutate.py --list

Mutants are drawn from a seed, by classes in turn (operators.py). Each is compiled into the programs that have it, the
cheapest first, and counts as killed when one fails or runs too long. What the compiler refuses is replaced by another
and not counted. equivalent.toml lists changes that change no result; survivors.toml explains what nobody can see here.
Both name the line's text, so they hold until that line changes. The score is killed / (drawn - equivalent).

Exit codes: 0, 1 when a survivor has no explanation or, from 100 mutants on, the score is below 95 %, 2 wrong usage.
Report: build/mutation/report.md and report.json."""

from __future__ import annotations

import argparse
import collections
import hashlib
import itertools
import os
import queue
import shutil
import sys
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from operators import CLASSES, Mutant, mutants_of, with_mutant
from programs import Build, DoesNotCompile, Program, programs_for
from report import Outcome, Result, write_report

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = (
    "kernels/cuda/*.cu", "kernels/cuda/*.cpp", "kernels/cuda/*.hpp", "runner/data/upload.cpp", "runner/loss_book.cpp",
    "runner/block_sum.cpp", "runner/recorded_steps.cpp", "runner/collective/gradient_sum.cpp",
    "runner/collective/nccl/nccl_sums.cpp", "runner/collective/nccl/communicator.cpp", "runner/collective/nccl/stream_marks.cpp",
)  # fmt: skip
WANTED_SCORE = 95  # per cent


def all_mutants(only: list[str]) -> list[Mutant]:
    files = sorted({str(path.relative_to(ROOT)) for pattern in SOURCES for path in ROOT.glob(pattern)})
    unknown = set(only) - set(files)
    if unknown:
        sys.exit(f"--only: not a source of mutants: {', '.join(sorted(unknown))}")
    return [mutant for file in only or files for mutant in mutants_of(ROOT, file)]


def in_drawn_order(mutants: list[Mutant], seed: int) -> Iterator[Mutant]:
    """One of each class in turn, until none is left. A mutant's place depends on the seed and its own text, so that a
    change elsewhere brings its own mutants and leaves the others as they were."""

    def place(mutant: Mutant) -> bytes:
        return hashlib.sha256(f"{seed} {mutant.file} {mutant.before} {mutant.after}".encode()).digest()

    of_class = [sorted((m for m in mutants if m.kind == each.__name__), key=place) for each in CLASSES]
    for turn in itertools.zip_longest(*of_class):
        yield from (mutant for mutant in turn if mutant is not None)


def reasons(name: str) -> dict[tuple[str, str, str], str]:
    """(file, before, after) -> reason."""
    entries = tomllib.loads((Path(__file__).parent / name).read_text())["mutant"]
    return {(each["file"], each["before"], after): each["reason"] for each in entries for after in each["after"]}


def try_mutant(build: Build, mutant: Mutant, programs: tuple[Program, ...]) -> Result:
    """Throws DoesNotCompile."""
    began = time.monotonic()
    changed = build.overlay / mutant.file
    shutil.rmtree(build.overlay, ignore_errors=True)
    changed.parent.mkdir(parents=True)
    changed.write_text(with_mutant((ROOT / mutant.file).read_text(), mutant))
    outcome, by = Outcome.SURVIVED, ""
    for program in programs:
        failed = build.run(program, build.changed_program(program, mutant.file), mutant.file)
        if failed:
            outcome, by = Outcome.KILLED, f"{program.name}: {failed}"
            break
    return Result(mutant, outcome, by, time.monotonic() - began)


class Trial:
    """Tries mutants, each in a scratch folder that nobody else has in that time."""

    def __init__(self, build: Build, scratch: Path, jobs: int, run_all: bool) -> None:
        self.equivalent = {} if run_all else reasons("equivalent.toml")
        self.explained = reasons("survivors.toml")
        self.free: queue.SimpleQueue[Build] = queue.SimpleQueue()
        for job in range(jobs):
            self.free.put(build.beside(scratch / str(job)))

    def __call__(self, mutant: Mutant) -> Result:
        key = (mutant.file, mutant.before, mutant.after)
        if key in self.equivalent:
            return Result(mutant, Outcome.EQUIVALENT, self.equivalent[key], 0)
        build = self.free.get()
        try:
            result = try_mutant(build, mutant, programs_for(mutant.file))
        finally:
            self.free.put(build)
        if result.outcome == Outcome.SURVIVED and key in self.explained:
            return Result(mutant, Outcome.EXPLAINED, self.explained[key], result.wall_s)
        return result


def in_order(trial: Trial, mutants: Iterator[Mutant], jobs: int) -> Iterator[tuple[Mutant, Future[Result]]]:
    """Each mutant with its result. `jobs` are in work at a time, and some wait, so that a slow one holds nobody up."""
    with ThreadPoolExecutor(jobs) as pool:
        ahead = collections.deque((each, pool.submit(trial, each)) for each in itertools.islice(mutants, 8 * jobs))
        try:
            while ahead:
                yield ahead.popleft()
                ahead.extend((each, pool.submit(trial, each)) for each in itertools.islice(mutants, 1))
        finally:
            for _, begun in ahead:
                begun.cancel()


def run(args: argparse.Namespace, scratch: Path) -> list[Result]:
    mutants = all_mutants(args.only)
    build = Build(args.build, ROOT, scratch)
    build.bring_up_to_date(tuple({program for mutant in mutants for program in programs_for(mutant.file)}))
    trial = Trial(build, scratch, args.jobs, args.all)
    results: list[Result] = []
    began, refused = time.monotonic(), collections.Counter()
    for mutant, tried in in_order(trial, in_drawn_order(mutants, args.seed), args.jobs):
        try:
            result = tried.result()
        except DoesNotCompile:
            refused[mutant.kind] += 1
            continue
        results.append(result)
        left = (time.monotonic() - began) / len(results) * (args.count - len(results))
        print(f"{len(results)}/{args.count} ({left / 60:.0f} min left) {result.line()}", flush=True)
        if len(results) == args.count:
            break
    print(f"the compiler refused {refused.total()} more: {dict(refused)}")
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=int(os.environ.get("LOCKSTEP_MUTANTS", "20")))
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="mutants at a time (the CPUs)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", default=[], metavar="FILE", help="a source; may come several times")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release", help="a build folder of the release preset")
    parser.add_argument("--all", action="store_true", help="run those listed as equivalent, too")
    parser.add_argument("--list", action="store_true", help="print the mutants in drawn order and end")
    args = parser.parse_args()
    if args.list:
        for mutant in in_drawn_order(all_mutants(args.only), args.seed):
            print(mutant)
        return 0
    scratch = ROOT / "build/mutation"
    scratch.mkdir(parents=True, exist_ok=True)
    results = run(args, scratch)
    return write_report(results, scratch, args.seed, WANTED_SCORE)


if __name__ == "__main__":
    sys.exit(main())
