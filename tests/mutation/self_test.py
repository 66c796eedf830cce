#!/usr/bin/env python3
"""The tool itself: a mutant that every test of the kernel notices, one that changes nothing, and places that it leaves
alone.

    python3 tests/mutation/self_test.py [--build build/release]"""

import sys
import unittest
from dataclasses import replace
from pathlib import Path

import mutate
from operators import Mutant, code_lines, mutants_of, with_mutant
from programs import OF_KERNELS, Build
from report import Outcome, Result, score_of

BUILD = Path(sys.argv[2]) if sys.argv[1:2] == ["--build"] else mutate.ROOT / "build/release"
RELU = "kernels/cuda/relu.cu"


def find(file: str, before: str, after: str) -> Mutant:
    """As a class of mutants makes it."""
    return next(each for each in mutants_of(mutate.ROOT, file) if (each.before, each.after) == (before, after))


class Mutants(unittest.TestCase):
    def test_they_are_the_same_for_a_seed_and_differ_between_seeds(self) -> None:
        mutants = mutate.all_mutants([])
        first, again, other = (list(mutate.in_drawn_order(mutants, seed)) for seed in (1, 1, 2))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)
        self.assertCountEqual(first, other)

    def test_each_changes_its_line_and_nothing_else(self) -> None:
        text = (mutate.ROOT / RELU).read_text()
        for mutant in mutants_of(mutate.ROOT, RELU):
            changed = with_mutant(text, mutant)
            different = [n for n, (a, b) in enumerate(zip(text.splitlines(), changed.splitlines()), 1) if a != b]
            self.assertEqual(different, [mutant.line])

    def test_comments_strings_errors_and_what_only_nvcc_sees_are_left_alone(self) -> None:
        text = 'int a; // 1 < 2\n#include "x < y"\n#ifdef __CUDACC__\nb;\n#else\nc;\n#endif\nthrow failure("{}",\n d + e);\nf;'
        self.assertEqual([code.strip() for _, code in code_lines(text)], ["int a;", "c;", "f;"])


class Trying(unittest.TestCase):
    """Only the plain program is run: that is enough to see whether a change reaches it."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.build = Build(BUILD, mutate.ROOT, mutate.ROOT / "build/mutation")
        cls.build.bring_up_to_date(OF_KERNELS[:1])

    def outcome(self, mutant: Mutant) -> Outcome:
        return mutate.try_mutant(self.build, mutant, OF_KERNELS[:1]).outcome

    def test_a_wrong_comparison_is_killed(self) -> None:
        line = "extent, dx, [](float value, float gradient) { return value > 0 ? gradient : 0.0F; }, y, dy);"
        self.assertEqual(self.outcome(find(RELU, line, line.replace("> 0", ">= 0"))), Outcome.KILLED)

    def test_a_wrong_header_is_killed(self) -> None:
        line = "for (int distance = 16; distance > 0; distance /= 2) {"
        self.assertEqual(self.outcome(find("kernels/cuda/reduce.hpp", line, line.replace("> 0", "> 1"))), Outcome.KILLED)

    def test_a_comment_changes_nothing(self) -> None:
        first = (mutate.ROOT / RELU).read_text().splitlines()[0]
        self.assertEqual(self.outcome(Mutant(RELU, 1, "none", first, first + " Changed.")), Outcome.SURVIVED)


class Score(unittest.TestCase):
    def test_equivalent_mutants_do_not_count_and_explained_ones_do(self) -> None:
        mutant = Mutant("a", 1, "none", "b", "c")
        killed = Result(mutant, Outcome.KILLED, "", 0)
        results = [killed, replace(killed, outcome=Outcome.EQUIVALENT), replace(killed, outcome=Outcome.EXPLAINED)]
        self.assertEqual(score_of(results), 50)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
