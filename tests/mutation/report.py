"""What became of the mutants: lines on the way, a page and JSON at the end."""

from __future__ import annotations

import collections
import enum
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from operators import Mutant


class Outcome(str, enum.Enum):
    KILLED = "killed"
    EQUIVALENT = "equivalent"
    EXPLAINED = "survived, explained"
    SURVIVED = "survived"


@dataclass(frozen=True)
class Result:
    mutant: Mutant
    outcome: Outcome
    why: str  # the test, or the reason
    wall_s: float

    def line(self) -> str:
        m = self.mutant
        told = f"{self.outcome.value:9} {m.kind:16} {m.file}:{m.line} {self.wall_s:.1f} s  {self.why}"
        return told if self.outcome == Outcome.KILLED else f"{told}\n    {m.before}\n    {m.after}"


def score_of(results: list[Result]) -> float:
    """Per cent of those that could be killed."""
    able = [each for each in results if each.outcome != Outcome.EQUIVALENT]
    return 100 * sum(each.outcome == Outcome.KILLED for each in able) / len(able) if able else 0.0


def page_of(results: list[Result], seed: int) -> str:
    of_class = collections.defaultdict(collections.Counter)
    for each in results:
        of_class[each.mutant.kind][each.outcome] += 1
        of_class["all"][each.outcome] += 1
    lines = [f"# {len(results)} mutants of seed {seed}: {score_of(results):.1f} % killed", "",
             "| class | " + " | ".join(outcome.value for outcome in Outcome) + " |", "|---|" + "---|" * len(Outcome)]
    for name, counts in of_class.items():
        lines.append(f"| {name} | " + " | ".join(str(counts[outcome]) for outcome in Outcome) + " |")
    tests = collections.Counter(each.why for each in results if each.outcome == Outcome.KILLED)
    lines += ["", "| killed by | mutants |", "|---|---|", *(f"| {test} | {count} |" for test, count in tests.most_common())]
    lines += ["", "## Not killed"]
    for each in results:
        if each.outcome != Outcome.KILLED:
            m = each.mutant
            lines += ["", f"{m.file}:{m.line} ({m.kind}, {each.outcome.value}) {each.why}", "```", m.before, m.after, "```"]
    return "\n".join(lines) + "\n"


def write_report(results: list[Result], folder: Path, seed: int, wanted: float) -> int:
    """The exit code."""
    (folder / "report.md").write_text(page_of(results, seed))
    (folder / "report.json").write_text(json.dumps({"seed": seed, "results": [asdict(each) for each in results]}, indent=1))
    score, total = score_of(results), max(len(results), 1)
    unexplained = sum(each.outcome == Outcome.SURVIVED for each in results)
    print(f"{len(results)} mutants, {score:.1f} % killed ({wanted} wanted), {unexplained} survivors without explanation; "
          f"{sum(each.wall_s for each in results) / total:.1f} s each; {folder / 'report.md'}")
    enough = len(results) >= 100  # of a few, one that is explained would already be too many
    return 1 if unexplained or (enough and score < wanted) else 0
