#!/usr/bin/env python3
"""./x gpu-day without a GPU: nvidia-smi is a stand-in on PATH, the build folder is this build's, or one of stand-ins.

    gpu_day_test.py BUILD-FOLDER
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
NVIDIA_SMI = """
case $1 in
  -L) echo "GPU 0: stand-in"; echo "GPU 1: stand-in" ;;
  *) echo "0, stand-in, 1.0" ;;
esac
"""
PROGRAMS = {
    "Tests of kernels": "tests/gpu/test_gpu_kernels",
    "Tests of trainings": "tests/gpu/test_gpu_training",
    "Tests of NCCL": "tests/gpu/test_gpu_nccl",
    "Operations": "benchmarks/bench_gpu",
    "The mlp on one GPU": "bin/lockstep-train",
    "The mlp on one GPU, --cuda-graph on": "bin/lockstep-train",
    "The cnn on one GPU": "bin/lockstep-train",
    "The cnn on one GPU, --precision bf16": "bin/lockstep-train",
    "Sums over 2 GPUs": "benchmarks/bench_gpu-allreduce",
}


def write_program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


class GpuDay(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        write_program(self.path / "bin/nvidia-smi", NVIDIA_SMI)
        self.stand_ins = self.path / "build"
        for program in PROGRAMS.values():
            write_program(self.stand_ins / program, f"echo {program} ran\n")

    def run_it(self, folder, *options):
        """The command's exit code and output, and the sections of its report: title -> text."""
        # The first: whatever GPUs this machine has, the real programs shall find none.
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "PATH": f"{self.path}/bin:{os.environ['PATH']}"}
        command = [str(TOP / "x"), "gpu-day", "--build-dir", str(folder), *options]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        report = pathlib.Path(folder) / "report.md"
        if not report.exists():
            return done.returncode, done.stdout, {}
        parts = report.read_text().split("\n## ")
        return done.returncode, done.stdout, dict(part.split("\n", 1) for part in parts[1:])

    def test_runs_every_section_and_succeeds_where_all_do(self):
        code, output, sections = self.run_it(self.stand_ins)
        self.assertEqual(code, 0, output)
        self.assertEqual(list(sections), ["Devices", *PROGRAMS])
        for title, program in PROGRAMS.items():
            self.assertIn(f"{program} ran", sections[title])
        self.assertNotIn("**", "".join(sections.values()))

    def test_names_a_section_that_fails_and_goes_on(self):
        write_program(self.stand_ins / PROGRAMS["Operations"], "echo it broke\nexit 3\n")
        code, output, sections = self.run_it(self.stand_ins)
        self.assertEqual(code, 1, output)
        self.assertIn("it broke\n```\n**ended with 3**", sections["Operations"])
        self.assertIn("ran", sections["Sums over 2 GPUs"])
        self.assertIn("**Failed: Operations;**", output)

    def test_stops_a_section_at_its_time_and_leaves_out_what_follows(self):
        write_program(self.stand_ins / PROGRAMS["Operations"], "sleep 1000\n")
        code, output, sections = self.run_it(self.stand_ins, "--seconds", "3")
        self.assertEqual(code, 1, output)
        self.assertRegex(sections["Operations"], r"\*\*stopped after [123] s\*\*")
        self.assertIn("**not run: 3 s are over**", sections["Sums over 2 GPUs"])

    def test_says_of_a_build_without_a_gpu_that_all_failed(self):
        code, output, sections = self.run_it(sys.argv[1])
        self.assertEqual(code, 1, output)
        self.assertNotIn("**", sections["Devices"])
        for title in PROGRAMS:
            self.assertRegex(sections[title], r"\*\*(skipped|ended with \d+)\*\*", title)
        self.assertRegex(sections["Operations"], "skipped: .*CUDA")
        self.assertRegex(sections["The mlp on one GPU"], "no CUDA device")

    def test_refuses_options_that_it_does_not_know(self):
        for options in (["--fast", "yes"], ["--seconds", "soon"], ["--seconds"]):
            code, output, _ = self.run_it(self.stand_ins, *options)
            self.assertEqual(code, 1)
            self.assertIn("gpu-day: ", output)
        self.assertIn("no such folder", self.run_it(self.path / "absent")[1])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
