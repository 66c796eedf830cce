#!/usr/bin/env python3
"""Jobs in a Slurm cluster: the cluster in a box (`lockstep cluster up`), and nothing of it pretended.

    slurm_test.py BUILD-FOLDER [TEST...]
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import jobs  # noqa: E402
from jobs import DATA, SAVES_SLOWLY  # noqa: E402

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
LOCKSTEP = BUILD / "bin/lockstep"


def missing():
    if os.geteuid() != 0:
        return "a cluster in a box needs root"
    absent = [each for each in ("slurmctld", "slurmd", "munged") if not shutil.which(each)]
    return f"no {', '.join(absent)} (packages slurm-wlm and munge)" if absent else None


class InACluster(jobs.JobCase):
    lockstep_program = LOCKSTEP
    compute = "box"
    nodes = 3
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.room = tempfile.TemporaryDirectory(prefix="lockstep-slurm-")
        cls.addClassCleanup(cls.room.cleanup)
        cls.box = pathlib.Path(cls.room.name) / "box"
        subprocess.run([LOCKSTEP, "cluster", "up", "--nodes", str(cls.nodes), *cls.options, "--folder", cls.box], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        cls.addClassCleanup(subprocess.run, [LOCKSTEP, "cluster", "down", "--folder", cls.box], check=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)

    def setUp(self):
        self.begin()
        self.addCleanup(self.slurm, "scancel", "--user=root")  # a test that failed must not take others' nodes
        for name, shared in (("box", "true"), ("apart", "false")):
            definition = self.folder / f"{name}.yml"
            definition.write_text(f"name: {name}\nengine: {{type: slurm, config_file: {self.box}/slurm.conf, partition: main, "
                                  f"shared_files: {shared}, scratch: /dev/shm/lockstep-test}}\n")  # of which each node has its own
            self.lockstep("compute", "create", "-f", definition)

    def create_in(self, partition, name, *options):
        self.lockstep("compute", "create", "-n", name, "--set", "engine.type=slurm", "--set", f"engine.config_file={self.box}/slurm.conf",
                      "--set", f"engine.partition={partition}", *options)

    def slurm(self, *words):
        return subprocess.run(words, env={**os.environ, "SLURM_CONF": f"{self.box}/slurm.conf"}, stdout=subprocess.PIPE,
                              check=True, text=True, timeout=60).stdout.strip()

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

    def test_its_doctor_asks_slurm_for_its_nodes_and_whether_a_run_would_get_one(self):
        said = self.lockstep("doctor", "box")
        self.assertRegex(said, rf"nodes +ok +partition main: {self.nodes} idle")
        self.assertRegex(said, "a run on one node +ok +Slurm would start it")
        self.addCleanup(self.slurm, "scontrol", "update", "nodename=n2", "state=resume")
        self.slurm("scontrol", "update", "nodename=n2", "state=drain", "reason=burnt")
        self.assertRegex(self.lockstep("doctor", "box", code=1), "n2 +broken +burnt.* +once that is mended: scontrol update nodename=n2")
        self.create_in("none", "nowhere")
        self.assertRegex(self.lockstep("doctor", "nowhere", code=1), "nodes +broken +partition none has none")

    def test_a_rank_that_fails_is_named_with_its_node(self):
        said = self.run_job("fails", "if [ $RANK = 1 ]; then echo it was me; exit 7; fi; sleep 100", code=1,
                            more="distribution: {type: pytorch}\n")
        self.assertRegex(said, r"rank 1 on \S+ ended with exit code 7")
        self.assertIn("it was me", said)
        self.no_job_is_left()

    def test_the_allocation_goes_when_supervisor_and_keeper_are_killed(self):
        process = self.start("killed", "echo begun; sleep 1000")
        self.wait_for(lambda: "begun" in self.log("killed", 1), "both ranks have begun", process)
        self.kill_supervisor_and_keeper()
        self.end(process, code=1)
        self.no_job_is_left()

    def test_no_allocation_stays_wherever_the_supervisor_is_killed(self):
        for point in ("while_asking", "after_asking", "after_allocation", "after_hosts"):
            with self.subTest(point):
                self.environment["LOCKSTEP_FAULT"] = f"supervisor.{point}"
                self.run_job(point, "sleep 1", code=1)
                del self.environment["LOCKSTEP_FAULT"]
                self.assertEqual(self.status(point), "Failed")
                self.no_job_is_left()

    def test_a_run_that_is_preempted_waits_and_goes_on_from_its_checkpoint(self):
        training = f"lockstep-train --model mlp --data {DATA} --epochs 2 --checkpoint-every 50 --seed 5"
        more = "distribution: {type: mpi}\nenvironment_variables: {OMP_NUM_THREADS: '1'}\n"
        self.create_in("low", "low")
        process = self.start("low", training, compute="low", more=more)
        self.wait_for_checkpoint("low", process)
        self.slurm("srun", "--partition=dedicated", f"--nodes={self.nodes}", "--exclusive", "sleep", "3")
        said = self.end(process)
        self.assertIn("preempted for the 1. time", said)
        self.run_job("whole", training, more=more, compute="local")
        self.assertEqual(self.weights("low"), self.weights("whole"))
        self.no_job_is_left()

    def test_a_run_that_is_preempted_has_the_grace_of_its_partition_to_save(self):
        self.create_in("low", "low")
        self.addCleanup(self.slurm, "scontrol", "update", "PartitionName=low", "GraceTime=0")
        for name, grace, seconds in (("by-kill-wait", 0, 3), ("by-grace-time", 30, 7)):
            with self.subTest(name):
                self.slurm("scontrol", "update", "PartitionName=low", f"GraceTime={grace}")
                saving = SAVES_SLOWLY.format(seconds=seconds).replace("python3 -", "exec python3 -")
                process = self.start(name, f"test ! -e outputs/told-$RANK || exit 0; touch outputs/told-$RANK; {saving}", compute="low",
                                     more="distribution: {type: pytorch}\n")
                self.wait_for(lambda: all("ready" in self.log(name, rank) for rank in (0, 1)), "both are ready", process)
                self.slurm("srun", "--partition=dedicated", f"--nodes={self.nodes}", "--exclusive", "true")
                self.assertIn("preempted for the 1. time", self.end(process))
                self.assertEqual([self.log(name, rank) for rank in (0, 1)], ["ready\nsaved\n"] * 2)
        self.no_job_is_left()

    def test_an_elastic_run_that_is_preempted_goes_on_with_the_nodes_that_are_free(self):
        training = f"lockstep-train --model mlp --data {DATA} --epochs 2 --checkpoint-every 50 --seed 5"
        more = "distribution: {type: mpi}\nenvironment_variables: {OMP_NUM_THREADS: '1'}\n"
        self.create_in("low", "low")
        process = self.start("shrinks", training, "--elastic", compute="low", more=more)
        self.wait_for_checkpoint("shrinks", process)
        self.slurm("salloc", "--no-shell", "--partition=dedicated", f"--nodes={self.nodes - 1}", "--exclusive", "--job-name=dedicated")
        self.addCleanup(self.slurm, "scancel", "--me", "--name=dedicated")
        said = self.end(process)
        self.assertIn("preempted for the 1. time", said)
        self.assertRegex(said, r"Running: with 1 of 2 nodes: n\d")
        self.run_job("whole", training, more=more, compute="local")
        self.assertEqual(self.weights("shrinks"), self.weights("whole"))

    def test_an_elastic_run_whose_rank_fails_goes_on_with_all_its_nodes(self):
        said = self.run_job("whole", "test -e outputs/again || { touch outputs/again; exit 3; }; hostname", "--elastic")
        self.assertIn("restart 1 of 3 after: rank ", said)
        self.assertNotIn("with 1 of 2 nodes", said)
        self.assertEqual(len(json.loads((self.run_folder("whole") / "plan.json").read_text())["nodes"]), 2)

    def test_a_run_that_is_told_to_give_its_nodes_back_saves_and_goes_on_with_nothing_lost(self):
        training = f"lockstep-train --model mlp --data {DATA} --epochs 2 --checkpoint-every 50 --seed 5"
        more = "distribution: {type: mpi}\nenvironment_variables: {OMP_NUM_THREADS: '1'}\npreparation: echo on $(hostname)\n"
        process = self.start("told", training, more=more)
        self.wait_for_checkpoint("told", process)
        before = self.slurm("squeue", "--noheader", "--format=%i")
        self.lockstep("compute", "preempt", "told")
        self.wait_for(lambda: self.slurm("squeue", "--noheader", "--format=%i") not in ("", before), "it has another job", process)
        said = self.end(process)
        self.assertIn("preempted for the 1. time; nothing is lost: it goes on from checkpoint ", said)
        tags = self.show("told")["tags"]
        self.assertEqual((tags["lockstep.preemptions"], tags["lockstep.lost_steps"]), ("1", "0"))
        for node in (0, 1):
            self.assertRegex(self.prepare_log("told", node), r"^on n\d\non n\d\n$")
        self.run_job("whole", training, more=more, compute="local")
        self.assertEqual(self.weights("told"), self.weights("whole"))
        self.no_job_is_left()

    def test_no_allocation_stays_wherever_the_supervisor_of_a_preempted_run_is_killed(self):
        for point in ("after_restart", "after_nodes_went", "while_asking:2"):
            with self.subTest(point):
                name = point.replace(":", "-")
                self.environment["LOCKSTEP_FAULT"] = f"supervisor.{point}"
                process = self.start(name, "sleep 1000")
                self.wait_for(lambda: self.status(name) == "Running", "it runs", process)
                self.lockstep("compute", "preempt", name)
                self.end(process, code=1)
                del self.environment["LOCKSTEP_FAULT"]
                self.assertEqual(self.status(name), "Failed")
                self.no_job_is_left()

    def test_a_partition_that_gives_less_than_saving_took_is_warned_of(self):
        self.create_in("low", "low")
        process = self.start("slow", SAVES_SLOWLY.format(seconds=6), "--set", "experiment_name=saving", nodes=1)
        self.wait_for(lambda: "ready" in self.log("slow", 0), "it is ready", process)
        self.lockstep("job", "cancel", "slow")
        self.end(process, code=75)
        said = self.run_job("warned", "true", "--set", "experiment_name=saving", nodes=1, compute="low")
        self.assertRegex(said, r"note: in run slow of this experiment to save and end took \d+\.\d s; partition low gives 5 s "
                               r"before it takes nodes away \(GraceTime 0 s, KillWait 5 s\): raise GraceTime")
        self.addCleanup(self.slurm, "scontrol", "update", "PartitionName=low", "GraceTime=0")
        self.slurm("scontrol", "update", "PartitionName=low", "GraceTime=60")
        said = self.run_job("fine", "true", "--set", "experiment_name=saving", nodes=1, compute="low")
        self.assertNotIn("partition low gives", said)


class FromZero(InACluster):
    """Nodes that are there only while somebody needs them, as an AmlCompute cluster's."""

    nodes = 1
    options = ("--cloud-nodes", "2", "--idle-seconds", "2")

    def running_nodes(self):
        states = self.slurm("sinfo", "--noheader", "--Node", "--partition=cloud", "--format=%t").split()
        return [state for state in states if not state.endswith(("~", "%", "!"))]  # off, or on the way there

    def test_nodes_come_for_a_run_and_go_when_nobody_needs_them(self):
        self.assertEqual(self.running_nodes(), [])
        self.create_in("cloud", "zero", "--max-instances", "2")
        nodes = lambda: {each["node_id"]: (each["state"], each["run_id"])  # noqa: E731
                         for each in json.loads(self.lockstep("compute", "list-nodes", "zero", "-o", "json"))}
        self.assertEqual(nodes(), {"c1": ("off", None), "c2": ("off", None)})
        process = self.start("cloud", "hostname; while [ ! -e go ]; do sleep 0.1; done", compute="zero")
        self.wait_for(lambda: self.log("cloud", 1), "the second rank runs", process, deadline_s=120)
        self.assertEqual(nodes(), {"c1": ("running", "cloud"), "c2": ("running", "cloud")})
        (self.run_folder("cloud") / "snapshot/go").touch()
        self.end(process)
        self.assertEqual([self.log("cloud", rank) for rank in (0, 1)], ["c1\n", "c2\n"])
        self.wait_for(lambda: not self.running_nodes(), "the nodes are off again", deadline_s=90)
        said = self.run_job("more", "hostname", compute="zero", nodes=3, code=2)
        self.assertIn("3 nodes; the compute 'zero' has 2", said)


class Quotas(InACluster):
    """Nodes of two cores by their size; four licenses of the cluster for the cores of whoever asks for them."""

    options = ("--license", "ds_cores:4")
    family = "standardDSv2Family"

    def setUp(self):
        super().setUp()
        for name, license_of in (("sized", ""), ("licensed", "license: ds_cores, ")):
            definition = self.folder / f"{name}.yml"
            definition.write_text(f"name: {name}\nsize: Standard_DS2_v2\nengine: {{type: slurm, {license_of}config_file: "
                                  f"{self.box}/slurm.conf, partition: main}}\n")
            self.lockstep("compute", "create", "-f", definition)

    def start_holder(self, name):
        process = self.start(name, "echo begun; while [ ! -e go ]; do sleep 0.1; done", compute="sized")
        self.wait_for(lambda: "begun" in self.log(name, 0), f"{name} has begun", process)
        return process

    def in_use(self):
        return [each["current_value"] for each in json.loads(self.lockstep("compute", "list-usage", "-o", "json"))]

    def test_a_run_asks_the_cluster_for_nodes_when_it_has_its_cores(self):
        self.lockstep("quota", "set", self.family, "--limit", "4")
        first = self.start_holder("first")
        second = self.start("second", "echo ran", nodes=1, compute="sized")
        why = f"waiting for cores of family {self.family} (limit 4, in use 4); it needs 2"
        self.wait_for(lambda: self.status("second") == "Queued" and self.show("second")["queue"] == why, "the second waits",
                      second)
        self.assertEqual(self.slurm("squeue", "--noheader", "--format=%j"), "lockstep-first")
        self.assertEqual(self.in_use(), [4])
        (self.run_folder("first") / "snapshot/go").touch()
        self.end(first)
        self.end(second)
        self.assertEqual(self.log("second", 0), "ran\n")
        self.assertEqual(self.in_use(), [0])
        said = self.run_job("large", "true", nodes=3, compute="sized", code=2)
        self.assertIn(f"it needs 6 cores of family {self.family} (2 on each of 3 nodes), and the quota's limit is 4", said)

    def test_a_run_that_was_killed_holds_no_cores(self):
        self.lockstep("quota", "set", self.family, "--limit", "4")
        first = self.start_holder("first")
        self.assertEqual(self.in_use(), [4])
        self.kill_supervisor_and_keeper()
        self.assertEqual(self.in_use(), [0])
        self.end(first, code=1)
        self.no_job_is_left()

    def test_cores_that_others_of_the_cluster_have_are_waited_for(self):
        other = self.slurm("sbatch", "--parsable", "--output=/dev/null", "--licenses=ds_cores:3", "--wrap", "sleep 1000")
        self.wait_for(lambda: self.slurm("squeue", "--noheader", "--states=running", f"--jobs={other}"), "the other has its own")
        process = self.start("waits", "echo ran", nodes=1, compute="licensed")
        why = "too few of its licenses are free (ds_cores:2)"
        self.wait_for(lambda: self.status("waits") == "Queued" and why in (self.show("waits")["queue"] or ""), "it says why",
                      process)
        self.slurm("scancel", other)
        self.end(process)
        self.assertEqual(self.log("waits", 0), "ran\n")
        said = self.run_job("never", "true", nodes=3, compute="licensed", code=2)
        self.assertIn("Slurm would never start it", said)
        self.assertIn("--licenses=ds_cores:6", said)


if __name__ == "__main__":
    reason = missing()
    if reason:
        print(f"skipped: jobs in a Slurm cluster: {reason}")
        sys.exit(77)
    unittest.main()
