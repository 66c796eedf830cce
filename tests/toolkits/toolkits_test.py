#!/usr/bin/env python3
"""Jobs of each distribution, run for real on this machine: 2 nodes that are slots of it.

    toolkits_test.py BUILD-FOLDER
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = sys.argv[1]
CODE = pathlib.Path(__file__).resolve().parent / "code"
EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "configs/jobs/pytorch-ddp.yml"
PYTHON = "/usr/bin/python3"  # Debian's, which has torch and mpi4py


def has(module):
    return subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


class Toolkits(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.environment = {**os.environ, "LOCKSTEP_WORKSPACE": f"{self.folder}/ws", "LOCKSTEP_SLOTS": "8",
                            "LOCKSTEP_RUNTIME_DIR": f"{self.folder}/runtime"}

    def start(self, name, command, distribution, nodes=2):
        file = self.folder / f"{name}.yml"
        file.write_text(f"command: {command}\ncode: {CODE}\nresources: {{instance_count: {nodes}}}\n"
                        f"distribution: {distribution}\n")
        return self.start_file(name, file)

    def start_file(self, name, file, *options):
        return subprocess.Popen([f"{BUILD}/bin/lockstep", "run", str(file), "--name", name, *options],
                                env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def start_ddp(self, name, **values):
        sets = [f"command={PYTHON} ddp.py", *(f"{key}={value}" for key, value in values.items())]
        return self.start_file(name, EXAMPLE, *(word for each in sets for word in ("--set", each)))

    def end_ddp(self, name, process):
        """Gloo has its say, too: of a host name without an address, for example."""
        return [line for line in self.end(name, process) if line.startswith("rank ")]

    def end(self, name, process):
        said, _ = process.communicate(timeout=200)
        self.assertEqual(process.returncode, 0, said)
        logs = sorted((self.folder / "ws/runs" / name / "logs").glob("rank-*.log"))
        return [line for log in logs for line in log.read_text().splitlines()]

    def run_job(self, name, *job, **options):
        return self.end(name, self.start(name, *job, **options))

    def test_pytorch_ddp_trains_as_one_process_does(self):
        if not has("torch"):
            self.skipTest("Debian's python3-torch is not installed")
        lines = self.end_ddp("ddp", self.start_ddp("ddp", **{"resources.instance_count": 2}))
        places = {re.search(r"(rank \d of 4 at \d/\d/\d)", line).group(1) for line in lines}
        self.assertEqual(places, {"rank 0 of 4 at 0/0/2", "rank 1 of 4 at 0/1/2", "rank 2 of 4 at 1/0/2",
                                  "rank 3 of 4 at 1/1/2"})
        (losses,) = {re.search(r"loss (\S+) alone (\S+)", line).groups() for line in lines}
        self.assertAlmostEqual(float(losses[0]), float(losses[1]), places=6)

    def test_two_pytorch_jobs_at_once_do_not_meet(self):
        if not has("torch"):
            self.skipTest("Debian's python3-torch is not installed")
        jobs = {name: self.start_ddp(name) for name in ("one", "two")}
        for name, process in jobs.items():
            self.assertEqual(len(self.end_ddp(name, process)), 2)

    def test_tensorflow_tasks_find_each_other_and_parameter_servers_end_with_the_workers(self):
        distribution = "{type: tensorflow, worker_count: 3, parameter_server_count: 2}"
        lines = self.run_job("tf", f"{PYTHON} tf_cluster.py", distribution)
        self.assertEqual(sorted(lines), ["ps 0 serves", "ps 1 serves",
                                         "worker 0 heard ps 0, ps 1, worker 1, worker 2",
                                         "worker 1 heard ps 0, ps 1, worker 0, worker 2",
                                         "worker 2 heard ps 0, ps 1, worker 0, worker 1"])

    def test_a_worker_that_fails_fails_the_tensorflow_job(self):
        command = "test $AZUREML_PROCESS_NAME != worker_1 || exit 7; sleep 600"
        process = self.start("bad", f'"{command}"', "{type: tensorflow, parameter_server_count: 1}")
        said, _ = process.communicate(timeout=120)
        self.assertNotEqual(process.returncode, 0)
        shown = subprocess.run([f"{BUILD}/bin/lockstep", "job", "show", "bad", "-o", "json"], env=self.environment,
                               capture_output=True, text=True, check=True)
        self.assertEqual(json.loads(shown.stdout)["exit_code"], 7, said)

    def test_mpi_and_horovod_are_mpis(self):
        program = f"{self.folder}/mpi_sum"
        subprocess.run(["mpicc", "-o", program, f"{CODE}/mpi_sum.c"], check=True)
        wanted = [f"rank {rank} of 4: sum 6" for rank in range(4)]
        for kind in ("mpi", "horovod"):
            distribution = f"{{type: {kind}, process_count_per_instance: 2}}"
            self.assertEqual(sorted(self.run_job(kind, program, distribution)), wanted)

    def test_mpi4py_finds_its_ranks(self):
        if not has("mpi4py"):
            self.skipTest("Debian's python3-mpi4py is not installed")
        lines = self.run_job("mpi4py", f"{PYTHON} mpi4py_sum.py", "{type: mpi, process_count_per_instance: 2}")
        self.assertEqual(sorted(lines), [f"rank {rank} of 4: sum 6" for rank in range(4)])


class StaticEntrypoint(unittest.TestCase):
    @unittest.skipIf(os.geteuid() != 0, "chroot needs root")
    def test_it_needs_nothing_of_the_machine_but_the_kernel(self):
        with tempfile.TemporaryDirectory() as root:
            shutil.copy(f"{BUILD}/bin/lockstep-entrypoint", root)
            command = ["chroot", root, "/lockstep-entrypoint", "--", "/lockstep-entrypoint", "--help"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("usage: lockstep-entrypoint", done.stdout)


if __name__ == "__main__":
    result = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2).result
    for _, why in result.skipped:
        print(f"skipped: {why}")
    sys.exit(77 if result.wasSuccessful() and result.skipped else not result.wasSuccessful())
