#!/usr/bin/env python3
"""Hosts that fail, hosts that are not well, and runs that begin again: real mpirun, real ssh.

    trouble_test.py BUILD-FOLDER [TEST...]
"""

import json
import re

from hosts_test import DATA, SAVES_SLOWLY, OnHosts, rig
from processes import Process


class WithoutCheck(OnHosts):
    network_check = False  # it would take a second of each run; its own tests want it

    def long_job(self, name, nodes=2):
        process = self.start(name, "echo begun; sleep 1000", nodes=nodes, more="distribution: {type: mpi}\n")
        self.wait_for(lambda: all("begun" in self.log(name, rank) for rank in range(nodes)), "all ranks have begun", process)
        return process


class Trouble(WithoutCheck):
    """Machines that fail."""

    def test_a_host_that_is_cut_off_ends_the_run_and_is_named(self):
        process = self.long_job("cut")
        self.hosts.cut("node-2")
        said = self.end(process, code=1)
        self.assertIn("node-2 was lost", said)
        self.wait_for(lambda: not self.hosts.processes("node-1"), "nothing runs on node-1")
        # An sshd that can't tell anybody of the end stays until TCP gives up.
        self.wait_for(lambda: all(each.startswith("sshd: ") for each in self.hosts.processes("node-2")),
                      lambda: f"the host that was cut off has not ended {self.hosts.processes('node-2')}", deadline_s=90)

    def test_a_host_that_loses_its_power_ends_the_run_and_is_named(self):
        process = self.long_job("dark")
        self.hosts.kill("node-1")
        self.assertIn("node-1 was lost", self.end(process, code=1))
        self.wait_for(lambda: not self.hosts.processes("node-2"), "nothing runs on node-2")

    def agent_on(self, host):
        pids = self.hosts.pids(host)
        return next(each for each in Process.all() if each.pid in pids and each.comm == "lockstep-entryp" and " --agent" in each.words)

    def test_a_run_whose_files_can_not_have_come_has_not_completed(self):
        process = self.start("headless", "echo begun; sleep 2", more="distribution: {type: mpi}\n")
        self.wait_for(lambda: "begun" in self.log("headless", 1), "the ranks have begun", process)
        self.agent_on("node-2").kill()
        self.assertIn("node-2 was lost", self.end(process, code=1))
        self.assertEqual(self.status("headless"), "Failed")
        self.nothing_is_left()
        process = self.start("again", "echo begun; sleep 2", "--max-restarts", "1", more="distribution: {type: mpi}\n")
        self.wait_for(lambda: "begun" in self.log("again", 1), "the ranks have begun", process)
        self.agent_on("node-2").kill()
        self.assertIn("restart 1 of 1 after: node-2 was lost", self.end(process))
        self.assertEqual(self.status("again"), "Completed")
        self.nothing_is_left()

    def test_ranks_that_left_because_their_agent_was_left_alone_do_not_make_the_run_a_canceled_one(self):
        training = f"lockstep-train --model mlp --data {DATA} --epochs 100 --checkpoint-every 50 --seed 5"
        process = self.start("alone", training, more="distribution: {type: mpi}\n")
        self.wait_for_checkpoint("alone", process)
        session = self.agent_on("node-2")
        while session.comm != "sshd":
            session = Process(session.parent)
        session.kill()
        self.assertIn("node-2 was lost", self.end(process, code=1))
        self.assertEqual(self.status("alone"), "Failed")
        self.nothing_is_left()

    def test_a_full_disk_of_a_host_is_named(self):
        process = self.start("full", "echo begun; while head -c 64k /dev/zero >> outputs/more; do sleep 0.1; done; exit 4", nodes=1)
        self.wait_for(lambda: "begun" in self.log("full", 0), "it has begun", process)
        self.hosts.on("node-1", ["bash", "-c", "head -c 8M /dev/zero > /var/tmp/filler; "
                                 "mount -o remount,size=$(df --output=used -k /var/tmp | tail -1)k /var/tmp"], check=True)
        said = self.end(process, code=1)
        self.assertRegex(said, "rank 0 on node-1 ended with exit code 4.*the disk is full on node-1: free space where /var/tmp/lockstep")
        self.nothing_is_left()

    def test_nothing_stays_on_hosts_when_supervisor_and_keeper_are_killed(self):
        process = self.long_job("killed")
        self.kill_supervisor_and_keeper()
        self.end(process, code=1)
        self.nothing_is_left()
        self.assertIn("killed", json.dumps(self.show("killed")))

    def test_nothing_stays_wherever_the_supervisor_is_killed(self):
        for point in ("during_network_check", "after_hosts", "after_send", "after_agents", "after_start", "after_files"):
            with self.subTest(point):
                self.lockstep("compute", "update", "lab", "--set", f"engine.network_check={str(point.startswith('during')).lower()}")
                self.environment["LOCKSTEP_FAULT"] = f"supervisor.{point}"
                # Of one whose program had ended well, whoever closes it finds that in state.json.
                state, code = ("Completed", 0) if point == "after_files" else ("Failed", 1)
                self.run_job(point, "echo begun; sleep 1", code=code)
                del self.environment["LOCKSTEP_FAULT"]
                self.assertEqual(self.status(point), state)
                self.nothing_is_left()


class Unwell(WithoutCheck):
    """Machines that a run does without."""

    def test_a_host_that_is_down_is_passed_over_while_others_are_free(self):
        self.hosts.kill("node-1")
        self.run_job("others", "hostname", more="distribution: {type: mpi}\n")
        self.assertEqual([self.log("others", rank) for rank in (0, 1)], ["node-2\n", "node-3\n"])
        nodes = {each["node_id"]: each["state"] for each in json.loads(self.lockstep("compute", "list-nodes", "lab", "-o", "json"))}
        self.assertEqual(nodes, {"node-1": "unusable", "node-2": "idle", "node-3": "idle"})

    def test_a_host_that_reaches_nobody_is_found_to_be_the_one(self):
        self.lockstep("compute", "update", "lab", "--set", "engine.network_check=true")
        for number in (2, 3):
            self.hosts.on("node-1", ["ip", "route", "add", "unreachable", f"10.0.0.{number}"], check=True)
        self.run_job("without-it", "hostname", more="distribution: {type: mpi}\n")
        self.assertEqual(sorted(self.log("without-it", rank) for rank in (0, 1)), ["node-2\n", "node-3\n"])

    def test_a_host_is_prepared_once_and_passed_over_where_that_fails(self):
        self.lockstep("compute", "update", "lab", "--set",
                      "engine.node_preparation=hostname >> /tmp/prepared; test $(hostname) != node-1")
        for name in ("first", "second"):
            self.run_job(name, "cat /tmp/prepared", more="distribution: {type: mpi}\n")
            self.assertEqual([self.log(name, rank) for rank in (0, 1)], ["node-2\n", "node-3\n"])
        node = json.loads(self.lockstep("compute", "list-nodes", "lab", "-o", "json"))[0]
        self.assertEqual((node["state"], node["problems"]), ("unusable", ["node-1: its preparation failed (exit code 1)"]))

    def test_hosts_that_do_not_reach_each_other_are_not_used_together(self):
        more = "distribution: {type: mpi}\n"
        self.lockstep("compute", "update", "lab", "--set", "engine.network_check=true")
        for what, command in (("packets vanish", "neigh replace 10.0.0.2 lladdr 02:00:00:00:00:ee dev eth0 nud permanent"),
                              ("no way leads there", "route add unreachable 10.0.0.2")):
            with self.subTest(what):
                self.hosts.on("node-1", ["ip", *command.split()], check=True)
                name = what.replace(" ", "-")
                self.run_job(name, "hostname", more=more)
                self.assertEqual([self.log(name, rank) for rank in (0, 1)], ["node-1\n", "node-3\n"])
                said = (self.run_folder(name) / "logs/system.log").read_text()
                self.assertIn("node-2: no message of MPI passes between it and node-1: let TCP pass", said)
                self.assertRegex(said, r"a sum: 4 B in [0-9.]+ [um]s, 4 MiB in [0-9.]+ ms \([0-9.]+ GB/s\)")
        said = self.run_job("all", "hostname", nodes=3, more=more, code=1)
        self.assertIn("too few hosts of 'lab' are well: node-2: no message of MPI passes", said)
        self.nothing_is_left()
        said = self.lockstep("doctor", "lab", "-o", "json", code=1)
        findings = {each["for"]: each for each in json.loads(said)}
        self.assertEqual([findings[each]["state"] for each in self.hosts.names], ["ok"] * 3)
        self.assertIn("node-2: no message of MPI passes", findings["messages between them"]["found"])
        self.assertIn("let TCP pass", findings["messages between them"]["to_do"])
        self.lockstep("compute", "update", "lab", "--set", "engine.network_check=false")
        self.run_job("unasked", "hostname", nodes=3, more=more)

    def test_where_mpi_does_not_begin_its_reason_is_said_and_the_run_may_begin_again(self):
        self.lockstep("compute", "update", "lab", "--set", "engine.network_check=true")
        said = self.run_job("none", "echo never", "--max-restarts", "1", code=1,
                            more="distribution: {type: mpi}\nenvironment_variables: {OMPI_MCA_btl: nonsense}\n")
        reason = "preparation failed: MPI does not begin on node-1, node-2: "
        self.assertRegex(said, f"Reason: +{reason}A requested component was not found")
        self.assertIn(f"restart 1 of 1 after: {reason}", (self.run_folder("none") / "logs/system.log").read_text())
        self.assertEqual((self.status("none"), self.log("none", 0)), ("Failed", ""))
        self.nothing_is_left()

    def test_a_cancel_ends_the_preparation_of_hosts(self):
        self.lockstep("compute", "update", "lab", "--set", "engine.node_preparation=echo > /tmp/begun; sleep 1000")
        process = self.start("endless", "hostname")
        self.wait_for(lambda: all(self.hosts.on(each, ["test", "-e", "/tmp/begun"]).returncode == 0
                                  for each in ("node-1", "node-2")), "both are being prepared", process)
        self.lockstep("job", "cancel", "endless")
        self.end(process, code=1)
        self.assertEqual(self.status("endless"), "Canceled")
        self.nothing_is_left()

    def test_too_few_hosts_are_refused_at_submit_with_the_remedy(self):
        self.assertRegex(self.lockstep("doctor", "lab"), r"messages between them +ok +a sum: 4 B in ")
        self.hosts.cut("node-1")
        self.assertRegex(self.lockstep("doctor", "lab", code=1), r"node-1 +broken +(it does not answer|no way leads there) +is it up,")
        said = self.run_job("refused", "hostname", code=2, nodes=3)
        self.assertRegex(said, "node-1: (it does not answer|no way leads there): is it up")
        self.assertIn("no run", self.lockstep("job", "show", "refused", code=3))
        self.assertIn("4 nodes; the compute 'lab' has 3", self.run_job("four", "hostname", code=2, nodes=4))


class Again(WithoutCheck):
    """Runs that wait for machines, and for others."""

    def test_a_run_that_lost_a_host_goes_on_with_another_from_its_last_checkpoint(self):
        training = f"lockstep-train --model mlp --data {DATA} --epochs 2 --checkpoint-every 50 --seed 5"
        more = "distribution: {type: mpi}\nenvironment_variables: {OMP_NUM_THREADS: '1'}\n"
        process = self.start("goes-on", training, "--max-restarts", "1", more=more)
        self.wait_for_checkpoint("goes-on", process)
        self.hosts.kill("node-2")
        said = self.end(process)
        self.assertIn("restart 1 of 1 after: node-2 was lost", said)
        places = json.loads((self.run_folder("goes-on") / "plan.json").read_text())["nodes"]
        self.assertEqual(sorted(places), ["node-1", "node-3"])
        self.assertRegex(self.log("goes-on", 0), "goes on from .*step-")
        self.run_job("whole", training, "--set", "compute=local", more=more)
        self.assertEqual(self.weights("goes-on"), self.weights("whole"))

    def test_an_elastic_run_goes_on_with_the_hosts_that_are_left_and_with_all_when_they_are_back(self):
        training = f"lockstep-train --model mlp --data {DATA} --epochs 2 --checkpoint-every 25 --seed 5"
        more = "distribution: {type: mpi}\nenvironment_variables: {OMP_NUM_THREADS: '1'}\npreparation: echo on $(hostname)\n"
        saved = lambda: len(re.findall("saved .*step-", self.log("shrinks", 0)))  # noqa: E731
        process = self.start("shrinks", training, "--elastic", "--min-nodes", "2", nodes=3, more=more)
        self.wait_for(lambda: saved() > 0, "it has saved", process)
        self.hosts.kill("node-1")
        self.wait_for(lambda: "with 2 of 3 nodes: node-2, node-3" in json.dumps(self.show("shrinks")), "it goes on", process, deadline_s=120)
        self.hosts.revive("node-1")
        before = saved()
        self.wait_for(lambda: saved() > before, "it has saved once more", process)
        next(each for each in Process.all() if each.comm == "lockstep-train" and each.pid in self.hosts.pids("node-3")).kill()
        said = self.end(process)
        self.assertIn("restart 1 of 3 after: node-1 was lost", said)
        self.assertRegex(said, "restart 2 of 3 after: rank 1 on node-3 was killed by signal 9")
        self.assertEqual(json.loads((self.run_folder("shrinks") / "plan.json").read_text())["nodes"], ["node-2", "node-3", "node-1"])
        self.assertEqual(self.prepare_log("shrinks", 0), "on node-1\non node-2\non node-2\n")
        self.run_job("whole", training, "--set", "compute=local", nodes=3, more=more)
        loss, wanted = (self.show(name)["metrics"]["test_loss"] for name in ("shrinks", "whole"))
        self.assertLess(abs(loss - wanted), 0.05 * wanted)
        self.assertIn("--min-nodes wants 1 to 2", self.run_job("none", "true", "--min-nodes", "3", code=2))
        self.nothing_is_left()

    def test_a_run_that_is_preempted_gives_its_hosts_to_those_who_wait(self):
        script = "date +%s%N >> outputs/begun-$RANK; echo begun; while [ ! -e outputs/go ] && [ $(wc -l < outputs/begun-$RANK) = 1 ]; do sleep 0.1; done"
        first = self.start("first", script, nodes=3, more="distribution: {type: pytorch}\n")
        self.wait_for(lambda: all("begun" in self.log("first", rank) for rank in range(3)), "all ranks of the first have begun", first)
        second = self.start("second", "date +%s%N", nodes=3)
        self.wait_for(lambda: self.status("second") == "Queued", "the second waits", second)
        self.lockstep("compute", "preempt", "first")
        self.end(second)
        said = self.end(first)
        self.assertIn("preempted for the 1. time; what it lost is not known", said)
        again = (self.run_folder("first") / "outputs/begun-0").read_text().splitlines()
        self.assertEqual(len(again), 2)
        self.assertLess(int(self.log("second", 0)), int(again[1]))

    def test_a_preempted_run_that_is_canceled_ends(self):
        process = self.start("both", SAVES_SLOWLY.format(seconds=3))
        self.wait_for(lambda: all("ready" in self.log("both", rank) for rank in (0, 1)), "both are ready", process)
        self.lockstep("compute", "preempt", "both")
        self.wait_for(lambda: "preempted" in (self.run_folder("both") / "logs/system.log").read_text(), "it is preempted", process)
        self.lockstep("job", "cancel", "both")
        self.end(process, code=75)
        self.assertEqual(self.status("both"), "Canceled")
        self.nothing_is_left()

    def test_a_preempted_run_ends_wherever_its_supervisor_is_killed(self):
        for point in ("before_restart", "after_restart", "after_nodes_went", "after_hosts:2", "after_start:2"):
            with self.subTest(point):
                name = point.replace(":", "-")
                self.environment["LOCKSTEP_FAULT"] = f"supervisor.{point}"
                process = self.start(name, "echo begun; sleep 1000")
                self.wait_for(lambda: self.status(name) == "Running", "it runs", process)
                self.lockstep("compute", "preempt", name)
                self.end(process, code=1)
                del self.environment["LOCKSTEP_FAULT"]
                self.assertEqual(self.status(name), "Failed")
                self.nothing_is_left()

    def test_runs_wait_for_hosts_that_others_have(self):
        first = self.long_job("first", nodes=2)
        second = self.start("second", "hostname", nodes=2, more="distribution: {type: mpi}\n")
        third = self.start("third", "hostname", nodes=1)
        self.wait_for(lambda: self.status("second") == "Queued", "the second waits", second)
        self.lockstep("job", "cancel", "first")
        self.end(first, code=1)
        self.assertIn("Queued", self.end(second))
        self.end(third)


if __name__ == "__main__":
    rig.run_tests("jobs on hosts")
