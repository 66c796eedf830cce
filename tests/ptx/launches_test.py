#!/usr/bin/env python3
"""What launches.py says of a program of two tests and PTX of two kernels."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

LAUNCHES = pathlib.Path(__file__).resolve().parent / "launches.py"
PTX = """
.visible .entry _ZN8lockstep7kernels4cuda12_GLOBAL__N_17scatterINS0_4Bf16ELi8EEEvPKT_PS4_(
.visible .entry _ZN8lockstep7kernels4cuda12_GLOBAL__N_13sgdEPf(
"""


class Launches(unittest.TestCase):
    def said_of(self, launches):
        """Exit code and output, where the two processes of the program have written `launches`."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "kernels.ptx").write_text(PTX)
            (folder / "list").write_text(f"{folder}/kernels.ptx\n")
            program = folder / "program"
            program.write_text("#!/bin/sh\nprintf 'Suite.\\n  One\\n  Two\\n  DISABLED_Three\\n'\n")
            program.chmod(0o755)
            (folder / "program.txt").write_text(launches)
            done = subprocess.run([sys.executable, LAUNCHES, folder / "list", folder, program], capture_output=True, text=True)
            return done.returncode, done.stdout + done.stderr

    def test_is_content_when_every_kernel_was_launched(self):
        code, said = self.said_of("process\t1\nsgd\t3\nprocess\t1\nscatter<Bf16, 8>\t1\n")
        self.assertEqual((code, said), (0, "2 kernels, each launched in 1 of 1 programs\n"))

    def test_names_a_kernel_that_no_test_launched(self):
        code, said = self.said_of("process\t1\nsgd\t3\nprocess\t1\nscatter<Bf16, 1>\t1\n")
        self.assertEqual((code, said), (1, "program has not launched scatter<Bf16, 8>\n"))

    def test_says_nothing_of_a_program_that_ran_in_part(self):
        code, said = self.said_of("process\t1\nsgd\t3\n")
        self.assertEqual(code, 0)
        self.assertIn("skipped: no program has run all of its tests", said)

    def test_says_nothing_of_a_program_that_did_not_run(self):
        self.assertIn("skipped:", self.said_of("")[1])


if __name__ == "__main__":
    unittest.main()
