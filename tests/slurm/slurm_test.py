#!/usr/bin/env python3
"""Jobs in a Slurm cluster: the cluster in a box (`lockstep cluster up`), and nothing of it pretended.

    slurm_test.py BUILD-FOLDER [TEST...]
"""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import waiting  # noqa: E402

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
LOCKSTEP = BUILD / "bin/lockstep"
DATA = "/usr/share/datasets/fashion-mnist"


def missing():
    if os.geteuid() != 0:
        return "a cluster in a box needs root"
    absent = [each for each in ("slurmctld", "slurmd", "munged") if not shutil.which(each)]
    return f"no {', '.join(absent)} (packages slurm-wlm and munge)" if absent else None


class InACluster(unittest.TestCase):
    nodes = 3

    @classmethod
    def setUpClass(cls):
        cls.room = tempfile.TemporaryDirectory(prefix="lockstep-slurm-")
        cls.addClassCleanup(cls.room.cleanup)
        cls.box = pathlib.Path(cls.room.name) / "box"
        subprocess.run([LOCKSTEP, "cluster", "up", "--nodes", str(cls.nodes), "--folder", cls.box], check=True,
                       stdout=subprocess.DEVNULL, timeout=60)
        cls.addClassCleanup(subprocess.run, [LOCKSTEP, "cluster", "down", "--folder", cls.box], check=True,
                            stdout=subprocess.DEVNULL, timeout=60)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="lockstep-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.addCleanup(self.slurm, "scancel", "--user=root")  # a test that failed must not take others' nodes
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("LOCKSTEP_", "MLFLOW_"))}
        self.environment |= {"LOCKSTEP_WORKSPACE": f"{self.folder}/ws", "LOCKSTEP_RUNTIME_DIR": f"{self.folder}/runtime",
                             "OMPI_MCA_mpi_yield_when_idle": "1"}
        for name, shared in (("box", "true"), ("apart", "false")):
            definition = self.folder / f"{name}.yml"
            definition.write_text(f"name: {name}\nengine: {{type: slurm, config_file: {self.box}/slurm.conf, partition: main, "
                                  f"shared_files: {shared}, scratch: {self.folder}/scratch}}\n")
            self.lockstep("compute", "create", "-f", definition)

    def lockstep(self, *words, code=0):
        done = subprocess.run([LOCKSTEP, *map(str, words)], env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stdout + done.stderr

    def slurm(self, *words):
        return subprocess.run(words, env={**os.environ, "SLURM_CONF": f"{self.box}/slurm.conf"}, stdout=subprocess.PIPE,
                              check=True, text=True, timeout=60).stdout.strip()

    def start(self, name, command, *options, nodes=2, compute="box", more="distribution: {type: mpi}\n"):
        file = self.folder / f"{name}.yml"
        file.write_text("command: |\n" + "".join(f"  {line}\n" for line in command.splitlines()) +
                        f"compute: {compute}\nresources: {{instance_count: {nodes}}}\n{more}")
        return subprocess.Popen([LOCKSTEP, "run", file, "--name", name, *options], env=self.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def end(self, process, code=0):
        said, _ = process.communicate(timeout=150)
        self.assertEqual(process.returncode, code, said)
        return said

    def run_job(self, name, command, *options, code=0, **more):
        return self.end(self.start(name, command, *options, **more), code)

    def status(self, name):
        if not (self.folder / "ws/history.db").exists():
            return ""
        jobs = json.loads(self.lockstep("job", "list", "-o", "json"))
        return next((each["status"] for each in jobs if each["name"] == name), "")

    def run_folder(self, name):
        return self.folder / "ws/runs" / name

    def log(self, name, rank):
        """What the program itself has said."""
        path = self.run_folder(name) / f"logs/rank-{rank}.log"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return "".join(line for line in lines if not line.startswith("lockstep: "))

    def wait_for(self, condition, what, process=None, deadline_s=60):
        def answer():
            if process is not None and process.poll() is not None:
                raise AssertionError(f"it ended with {process.returncode} before {what}:\n{process.stdout.read()}")
            return condition()

        return waiting.wait_for(answer, what, deadline_s=deadline_s)

    def no_job_is_left(self):
        self.wait_for(lambda: not self.slurm("squeue", "--noheader"), "the cluster has no job")


class Jobs(InACluster):
    def test_ranks_run_on_the_nodes_that_slurm_gives_with_shared_files_and_without(self):
        code = self.folder / "code"
        code.mkdir()
        (code / "word.txt").write_text("from the code\n")
        for compute in ("box", "apart"):
            said = self.run_job(compute, "echo $(hostname) $RANK of $WORLD_SIZE at $NODE_RANK, $(cat word.txt)\n"
                                "echo $RANK > outputs/of-$RANK", compute=compute,
                                more=f"code: {code}\ndistribution: {{type: pytorch, process_count_per_instance: 2}}\n")
            lines = [self.log(compute, rank) for rank in range(4)]
            hosts = [line.split()[0] for line in lines]
            self.assertEqual(lines, [f"{hosts[rank]} {rank} of 4 at {rank // 2}, from the code\n" for rank in range(4)], said)
            self.assertEqual(hosts[0::2], hosts[1::2])
            self.assertNotEqual(hosts[0], hosts[2])
            for rank in range(4):
                self.assertEqual((self.run_folder(compute) / f"outputs/of-{rank}").read_text(), f"{rank}\n")
        self.no_job_is_left()

    def test_a_run_that_waits_says_why_and_its_cancel_withdraws_it(self):
        first = self.start("first", "sleep 1000", nodes=2)
        self.wait_for(lambda: self.status("first") == "Running", "the first runs", first)
        second = self.start("second", "hostname", nodes=2)
        self.wait_for(lambda: (self.run_folder("second") / "queue.txt").exists(), "the second waits", second)
        third = self.start("third", "hostname", nodes=1)
        self.end(third)
        self.lockstep("job", "cancel", "second")
        said = self.end(second, code=1)
        self.assertRegex(said, "Queued: .*it needs 2 nodes of main: (all nodes that fit are taken|others come before it|Slurm)")
        self.assertEqual(self.status("second"), "Canceled")
        self.lockstep("job", "cancel", "first")
        self.end(first, code=1)
        self.no_job_is_left()

    def test_what_can_never_fit_is_refused_at_submit(self):
        said = self.run_job("four", "hostname", nodes=4, code=2)
        self.assertRegex(said, "compute 'box': Slurm would never start it: .*[Nn]ode")
        self.lockstep("job", "show", "four", code=3)

    def test_a_rank_that_fails_is_named_with_its_node(self):
        said = self.run_job("fails", "if [ $RANK = 1 ]; then echo it was me; exit 7; fi; sleep 100", code=1,
                            more="distribution: {type: pytorch}\n")
        self.assertRegex(said, r"rank 1 on \S+ ended with exit code 7")
        self.assertIn("it was me", said)
        self.no_job_is_left()

    def test_the_allocation_goes_when_supervisor_and_keeper_are_killed(self):
        process = self.start("killed", "echo begun; sleep 1000")
        self.wait_for(lambda: "begun" in self.log("killed", 1), "both ranks have begun", process)
        for name in ("lockstep-superv", "lockstep-keeper"):
            for each in filter(str.isdigit, os.listdir("/proc")):
                if self.is_of_run(each, name):
                    os.kill(int(each), signal.SIGKILL)
        self.end(process, code=1)
        self.no_job_is_left()

    def is_of_run(self, process, name):
        try:
            files = {os.readlink(f"/proc/{process}/fd/{fd}") for fd in os.listdir(f"/proc/{process}/fd")}
            return pathlib.Path(f"/proc/{process}/comm").read_text().strip() == name and any(
                each.startswith(str(self.folder)) for each in files)
        except OSError:
            return False

    def test_a_run_that_is_preempted_waits_and_goes_on_from_its_checkpoint(self):
        training = f"lockstep-train --model mlp --data {DATA} --epochs 2 --checkpoint-every 50 --seed 5"
        more = "distribution: {type: mpi}\nenvironment_variables: {OMP_NUM_THREADS: '1'}\n"
        self.lockstep("compute", "create", "-n", "low", "--set", "engine.type=slurm", "--set",
                      f"engine.config_file={self.box}/slurm.conf", "--set", "engine.partition=low")
        process = self.start("low", training, compute="low", more=more)
        self.wait_for(lambda: list(self.run_folder("low").glob("checkpoints/step-*/manifest.json")), "a checkpoint is here",
                      process, deadline_s=120)
        self.slurm("srun", "--partition=dedicated", f"--nodes={self.nodes}", "--exclusive", "sleep", "3")
        said = self.end(process)
        self.assertIn("preempted for the 1. time", said)
        self.run_job("whole", training, more=more, compute="local")
        weights = [hashlib.sha256((self.run_folder(name) / "outputs/model/model.safetensors").read_bytes()).hexdigest()
                   for name in ("low", "whole")]
        self.assertEqual(*weights)
        self.no_job_is_left()

    def test_the_weights_are_those_of_this_machine(self):
        training = f"lockstep-train --model mlp --data {DATA} --epochs 1 --seed 5"
        more = "distribution: {type: mpi, process_count_per_instance: 1}\nenvironment_variables: {OMP_NUM_THREADS: '1'}\n"
        self.run_job("there", training, more=more)
        self.run_job("here", training, more=more, compute="local")
        weights = [hashlib.sha256((self.run_folder(name) / "outputs/model/model.safetensors").read_bytes()).hexdigest()
                   for name in ("there", "here")]
        self.assertEqual(*weights)


if __name__ == "__main__":
    reason = missing()
    if reason:
        print(f"skipped: jobs in a Slurm cluster: {reason}")
        sys.exit(77)
    unittest.main()
