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
import resource
import shutil
import sys
import time
import tomllib
from collections.abc import Iterator
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
    began, cpu = time.monotonic(), cpu_seconds()
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
    return Result(mutant, outcome, by, time.monotonic() - began, cpu_seconds() - cpu)


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(args: argparse.Namespace, scratch: Path) -> list[Result]:
    build = Build(args.build, ROOT, scratch)
    equivalent, explained = reasons("equivalent.toml"), reasons("survivors.toml")
    results: list[Result] = []
    mutants = all_mutants(args.only)
    build.bring_up_to_date(tuple({program for mutant in mutants for program in programs_for(mutant.file)}))
    began, refused = time.monotonic(), collections.Counter()
    for mutant in in_drawn_order(mutants, args.seed):
        if len(results) == args.count:
            break
        key = (mutant.file, mutant.before, mutant.after)
        try:
            if key in equivalent and not args.all:
                result = Result(mutant, Outcome.EQUIVALENT, equivalent[key], 0, 0)
            else:
                result = try_mutant(build, mutant, programs_for(mutant.file))
        except DoesNotCompile:
            refused[mutant.kind] += 1
            continue
        if result.outcome == Outcome.SURVIVED and key in explained:
            result = Result(mutant, Outcome.EXPLAINED, explained[key], result.wall_s, result.cpu_s)
        results.append(result)
        left = (time.monotonic() - began) / len(results) * (args.count - len(results))
        print(f"{len(results)}/{args.count} ({left / 60:.0f} min left) {result.line()}", flush=True)
    print(f"the compiler refused {refused.total()} more: {dict(refused)}")
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=int(os.environ.get("LOCKSTEP_MUTANTS", "20")))
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
