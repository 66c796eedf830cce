#!/usr/bin/env python3
"""Computes whose nodes come and go, in a cluster in a box: real slurmctld, slurmd, and commands that make nodes.

    amlcompute_test.py BUILD-FOLDER [TEST...]
"""

import json
import sys
import unittest

from slurm_test import BUILD, DATA, LOCKSTEP, InACluster, missing


class AmlCompute(InACluster):
    nodes = 1

    def create(self, name, provider="{type: local}", code=0, **more):
        keys = {"max_instances": 2, "idle_time_before_scale_down": 2} | more
        engine = keys.pop("engine", f"provider: {provider}")
        file = self.folder / f"{name}.yml"
        file.write_text(f"name: {name}\ntype: amlcompute\n" + "".join(f"{key}: {value}\n" for key, value in keys.items()) +
                        f"engine:\n  type: slurm\n  config_file: {self.box}/slurm.conf\n  {engine}\n")
        said = self.lockstep("compute", "create", "-f", file, code=code)
        if code == 0:
            self.addCleanup(self.remove, name)
        return said

    def remove(self, name):
        self.slurm("scancel", "--user=root")
        self.no_job_is_left()
        self.lockstep("compute", "delete", name, "--yes")

    def states(self, name):
        return [each["state"] for each in json.loads(self.lockstep("compute", "list-nodes", name, "-o", "json"))]

    def become(self, name, *states):
        self.wait_for(lambda: self.states(name) == list(states), lambda: f"{states}, not {self.states(name)}", deadline_s=180)

    def test_nodes_come_for_a_run_and_go_but_for_those_that_stay(self):
        self.create("stays", min_instances=1, max_instances=3)
        self.become("stays", "idle", "off", "off")
        self.run_job("first", "hostname", compute="stays")
        self.assertEqual([self.log("first", rank) for rank in (0, 1)], ["stays-1\n", "stays-2\n"])
        self.wait_for(lambda: "leaving" in self.states("stays"), "a node is on its way out")
        self.run_job("meanwhile", "hostname", compute="stays")
        self.become("stays", "idle", "off", "off")
        self.lockstep("compute", "update", "stays", "--min-instances", "0", "--max-instances", "2")
        self.become("stays", "off", "off")
        said = self.run_job("three", "hostname", compute="stays", nodes=3, code=2)
        self.assertIn("3 nodes; the compute 'stays' has 2", said)

    def test_runs_of_a_compute_that_is_stopped_wait_until_it_is_started(self):
        self.create("rests", min_instances=1)
        self.become("rests", "idle", "off")
        self.lockstep("compute", "stop", "rests")
        self.become("rests", "off", "off")
        process = self.start("early", "hostname", compute="rests")
        queue = self.run_folder("early") / "queue.txt"
        self.wait_for(lambda: queue.exists() and "its compute or partition is stopped" in queue.read_text(), "it waits",
                      process)
        self.lockstep("compute", "start", "rests")
        self.end(process)

    def test_a_node_that_works_is_not_taken_away(self):
        self.create("works")
        process = self.start("run", "while [ ! -e go ]; do sleep 0.1; done", compute="works")
        self.wait_for(lambda: self.status("run") == "Running", "it runs", process)
        self.assertIn("used by Slurm's jobs", self.lockstep("compute", "delete", "works", "--yes", code=2))
        self.assertIn("used by Slurm's jobs", self.lockstep("compute", "update", "works", "--max-instances", "1", code=2))
        self.create("besides")  # slurmctld starts anew for it
        (self.run_folder("run") / "snapshot/go").touch()
        self.end(process)

    def test_a_node_that_can_not_be_made_is_unusable_for_a_while_and_the_run_gets_another(self):
        made = self.folder / "made"
        provider = ("\n    type: command\n    tries: 2\n    timeout: 60\n    retry_after: 20\n"
                    "    create: 'if [ $LOCKSTEP_NODE = vms-1 ]; then echo no capacity; exit 1; fi; "
                    f"echo $LOCKSTEP_SIZE >> {made}; exec {LOCKSTEP} cluster node-start {self.box} $LOCKSTEP_NODE'\n"
                    f"    delete: {LOCKSTEP} cluster node-stop {self.box} $LOCKSTEP_NODE")
        self.create("vms", provider, size="Standard_DS3_v2", max_instances=3)
        said = self.run_job("run", "hostname", compute="vms")
        self.assertIn("others were asked for, because a node did not come (vms-1: lockstep: its machine could not be made: "
                      "exit code 1: no capacity)", said)
        self.assertEqual([self.log("run", rank) for rank in (0, 1)], ["vms-2\n", "vms-3\n"])
        self.assertEqual(set(made.read_text().splitlines()), {"Standard_DS3_v2"})
        self.become("vms", "off", "off", "off")
        self.assertEqual(list((self.box / "lockstep/run").glob("vms-*.made")), [], "what was made is removed")

    def test_a_node_that_never_reports_is_unusable_with_the_reason(self):
        provider = "{type: command, timeout: 5, retry_after: 3600, create: 'true', delete: 'true'}"
        self.create("silent", provider, size="Standard_DS3_v2", max_instances=1)
        process = self.start("run", "hostname", compute="silent", nodes=1)
        self.become("silent", "unusable")
        self.wait_for(lambda: "it did not report to Slurm within 5 s" in self.lockstep("compute", "list-nodes", "silent"),
                      "the reason is ours", process)
        self.lockstep("job", "cancel", "run")
        self.end(process, code=1)

    def test_low_priority_makes_way_for_dedicated_work_and_goes_on_from_its_checkpoint(self):
        self.create("paid", max_instances=2)
        self.create("spare", engine="nodes_of: paid", tier="low_priority", max_instances=2)
        training = f"lockstep-train --model mlp --data {DATA} --epochs 2 --checkpoint-every 50 --seed 5"
        more = "distribution: {type: mpi}\nenvironment_variables: {OMP_NUM_THREADS: '1'}\n"
        low = self.start("low", training, compute="spare", more=more)
        self.wait_for_checkpoint("low", low)
        self.run_job("urgent", "hostname", compute="paid")
        self.assertIn("preempted for the 1. time", self.end(low))
        self.run_job("whole", training, more=more, compute="local")
        self.assertEqual(self.weights("low"), self.weights("whole"))

    def test_what_can_not_be_had_is_refused_and_nothing_is_kept(self):
        self.assertIn("'none' has no nodes of its own", self.create("poor", engine="nodes_of: none", code=2))
        self.assertIn("has a partition 'main' already", self.create("main", code=2))
        self.assertNotIn("main", self.lockstep("compute", "list", "--query", "[].name", "-o", "tsv").split())

    def test_a_node_is_prepared_once_after_its_start_and_passed_over_where_that_fails(self):
        mark = self.folder / "prepared"
        command = f"echo on $(hostname) >> {mark}; test $(hostname) != ready-1"
        self.create("ready", engine=f"provider: {{type: local}}\n  node_preparation: '{command}'", max_instances=3,
                    idle_time_before_scale_down=600)
        said = self.run_job("first", "hostname", compute="ready")
        self.assertIn("others were asked for, because ready-1: its preparation failed (exit code 1)", said)
        self.assertEqual([self.log("first", rank) for rank in (0, 1)], ["ready-2\n", "ready-3\n"])
        self.assertEqual(self.states("ready")[0], "unusable")
        self.run_job("second", "hostname", compute="ready")
        self.assertEqual(sorted(mark.read_text().splitlines()), ["on ready-1", "on ready-2", "on ready-3"])


if __name__ == "__main__":
    reason = missing()
    if reason:
        print(f"skipped: computes whose nodes come and go: {reason}")
        sys.exit(77)
    unittest.main()
