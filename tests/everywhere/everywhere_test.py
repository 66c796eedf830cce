#!/usr/bin/env python3
"""The same job file, unchanged, on this machine, in a Slurm cluster, on an AmlCompute cluster that has no node yet, and on
hosts with shared files and without: PyTorch's losses are equal, and our trainer's weights, bit for bit.

    everywhere_test.py BUILD-FOLDER
"""

import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import hosts as rig  # noqa: E402
import jobs  # noqa: E402
from jobs import DATA, DDP, PYTHON  # noqa: E402

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
LOCKSTEP = BUILD / "bin/lockstep"
NODES = 3
TRAINER = f"""command: lockstep-train --model mlp --data {DATA} --epochs 1 --seed 5
distribution: {{type: mpi}}
environment_variables: {{OMP_NUM_THREADS: '1'}}
"""


class Everywhere(jobs.JobCase):
    lockstep_program = LOCKSTEP
    hosts = None  # where commands are given; None: on this machine itself

    def popen(self, argv, **options):
        return self.hosts.start(argv, **options) if self.hosts else subprocess.Popen(argv, **options)

    def setUp(self):
        self.begin()
        self.trainer = self.folder / "trainer.yml"
        self.trainer.write_text(TRAINER)

    def create(self, name, engine, *keys):
        file = self.folder / f"{name}.yml"
        file.write_text("\n".join([f"name: {name}", "type: amlcompute", *keys, f"engine: {engine}"]) + "\n")
        self.lockstep("compute", "create", "-f", file)

    def run_on(self, compute):
        for job, python in ((DDP, ["--set", f"command={PYTHON} ddp.py"]), (self.trainer, [])):
            self.end(self.popen([LOCKSTEP, "run", job, "--name", f"{job.stem}-{compute}", "--set", f"compute={compute}", "--set",
                                 f"resources.instance_count={NODES}", *python], env=self.environment, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True))

    def losses(self, compute):
        """As each process says it."""
        return [re.findall(r"loss \S+", self.log(f"{DDP.stem}-{compute}", rank)) for rank in range(2 * NODES)]

    def test_a_job_comes_to_the_same_result(self):
        self.run_on("local")
        box = self.folder / "box"
        self.addCleanup(self.lockstep, "cluster", "down", "--folder", box)
        self.lockstep("cluster", "up", "--nodes", NODES, "--folder", box)
        self.create("slurm", f"{{type: slurm, config_file: {box}/slurm.conf, partition: main}}")
        self.create("aml", f"{{type: slurm, config_file: {box}/slurm.conf, provider: {{type: local}}}}", f"max_instances: {NODES}",
                    "idle_time_before_scale_down: 60")
        for compute in ("slurm", "aml"):
            self.run_on(compute)
        self.lockstep("compute", "delete", "aml", "--yes")
        for compute, shared in (("shared", self.folder), ("apart", None)):
            with rig.Hosts(NODES, shared=shared, hidden=[BUILD]) as self.hosts:
                self.create(compute, f"{{type: hosts, hosts: [{', '.join(self.hosts.names)}], ssh: {{config_file: "
                            f"{self.hosts.ssh_config}}}, shared_files: {str(bool(shared)).lower()}}}")
                self.run_on(compute)
            self.hosts = None
        self.assertEqual([len(each) for each in self.losses("local")], [1] * 2 * NODES)
        for compute in ("slurm", "aml", "shared", "apart"):
            with self.subTest(compute):
                self.assertEqual(self.losses(compute), self.losses("local"))
                self.assertEqual(self.weights(f"trainer-{compute}"), self.weights("trainer-local"))


def missing():
    if subprocess.run([PYTHON, "-c", "import torch"], capture_output=True, check=False).returncode != 0:
        return "no torch for /usr/bin/python3 (package python3-torch)"
    return rig.Hosts.missing()


if __name__ == "__main__":
    reason = missing()
    if reason:
        print(f"skipped: jobs everywhere: {reason}")
        sys.exit(77)
    unittest.main()
