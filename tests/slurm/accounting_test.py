#!/usr/bin/env python3
"""Runs in a cluster in a box that keeps accounts: real slurmdbd over MariaDB, with limits that Slurm itself keeps.

    accounting_test.py BUILD-FOLDER [TEST...]
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import slurm_test
from processes import Process
from slurm_test import LOCKSTEP, InACluster
from waiting import wait_for


def missing():
    absent = [each for each in ("slurmdbd", "mariadbd", "mariadb-install-db", "my_print_defaults")
              if not shutil.which(each, path=os.environ["PATH"] + ":/usr/sbin")]
    packages = "packages slurmdbd, mariadb-server-core and mariadb-client-core"
    return slurm_test.missing() or (f"no {', '.join(absent)} ({packages})" if absent else None)


def expect_nothing_of(box):
    assert not box.exists()
    left = [each for each in Process.all() if f"{box}/" in " ".join([each.words, *each.environment.values()])]
    assert not left, left


def take_down(box):
    subprocess.run([LOCKSTEP, "cluster", "down", "--folder", box], check=True, stderr=subprocess.DEVNULL, timeout=60)
    expect_nothing_of(box)


class KeepsAccounts(InACluster):
    """Two nodes of two cores."""

    nodes = 2
    options = ("--accounting", "--cores-per-node", "2")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.of_slurm = {**os.environ, "SLURM_CONF": f"{cls.box}/slurm.conf"}

    @classmethod
    def tearDownClass(cls):
        take_down(cls.box)

    @classmethod
    def sacctmgr(cls, *words):
        subprocess.run(["sacctmgr", "-i", *words], env=cls.of_slurm, check=True, stdout=subprocess.DEVNULL, timeout=60)

    def create(self, name, more, partition="main"):
        definition = self.folder / f"{name}.yml"
        definition.write_text(f"name: {name}\nengine: {{type: slurm, config_file: {self.box}/slurm.conf, partition: {partition}, "
                              f"{more}}}\n")
        self.lockstep("compute", "create", "-f", definition)


class Accounting(KeepsAccounts):
    """The QOS small has two cores for all, wide four, by-job three for a job, by-user three for a user, narrow one
    node for a job; of single one job runs of a user, of few one job may be there."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for words in (("add", "qos", "small", "set", "GrpTRES=cpu=2", "flags=DenyOnLimit"),
                      ("add", "qos", "wide", "set", "GrpTRES=cpu=4"),
                      ("add", "qos", "by-job", "set", "MaxTRESPerJob=cpu=3"),
                      ("add", "qos", "by-user", "set", "MaxTRESPerUser=cpu=3"),
                      ("add", "qos", "narrow", "set", "MaxTRESPerJob=node=1", "flags=DenyOnLimit"),
                      ("add", "qos", "single", "set", "MaxJobsPerUser=1"),
                      ("add", "qos", "few", "set", "MaxSubmitJobsPerUser=1"),
                      ("modify", "account", "lockstep", "set", "qos+=small,wide,by-job,by-user,narrow,single,few")):
            cls.sacctmgr(*words)

    def daemon(self, name):
        return json.loads((self.box / f"run/{name}.json").read_text())["pid"]

    def becomes_known(self, *jobs):
        """They are in the books: name, account, QOS, cores. Slurm writes them some seconds after they have ended."""
        argv = ["sacct", "--noheader", "--parsable2", "--allocations", "--format=JobName%80,Account,QOS,AllocCPUS"]

        def known():
            return subprocess.run(argv, env=self.of_slurm, capture_output=True, text=True, check=False).stdout.splitlines()

        self.wait_for(lambda: set(jobs) <= set(known()), lambda: f"{jobs} are in {known()}")

    def alive(self):
        shown = json.loads(self.lockstep("cluster", "show", "--folder", self.box, "-o", "json"))
        return [each["name"] for each in shown["daemons"] if each["alive"]]

    def start_holder(self, name, **more):
        process = self.start(name, "echo begun; while [ ! -e go ]; do sleep 0.1; done", nodes=1, **more)
        self.wait_for(lambda: "begun" in self.log(name, 0), f"{name} has begun", process)
        return process

    def set_for_now(self, kind, name, limit):
        self.sacctmgr("modify", kind, name, "set", f"GrpTRES={limit}")
        self.addCleanup(self.sacctmgr, "modify", kind, name, "set", "GrpTRES=cpu=-1")

    def let_go(self, name):
        (self.run_folder(name) / "snapshot/go").touch()

    def says_why(self, name, why, process):
        self.wait_for(lambda: self.status(name) == "Queued" and why in (self.show(name)["queue"] or ""),
                      lambda: f"{name} says {why}, not {self.show(name)['queue']}", process)

    def test_a_run_waits_for_the_cores_of_its_qos_and_says_so_in_numbers(self):
        self.create("small", "account: lockstep, qos: small")
        first = self.start_holder("first", compute="small")
        second = self.start("second", "echo ran", nodes=1, compute="small")
        self.says_why("second", "it needs 1 node of main: waiting for cores of QOS small (limit 2, in use 2), of which it needs 2",
                      second)
        self.let_go("first")
        self.end(first)
        self.assertIn("waiting for cores of QOS small", self.end(second))
        self.assertEqual(self.log("second", 0), "ran\n")

    def test_a_run_waits_for_the_nodes_of_its_account_and_for_the_jobs_of_its_user(self):
        self.sacctmgr("modify", "account", "lockstep", "set", "GrpTRES=node=1")
        self.addCleanup(self.sacctmgr, "modify", "account", "lockstep", "set", "GrpTRES=node=-1")
        self.create("single", "qos: single")
        first = self.start_holder("first", compute="single")
        second = self.start("second", "true", nodes=1)
        self.says_why("second", "waiting for nodes of account lockstep (limit 1, in use 1), of which it needs 1", second)
        self.sacctmgr("modify", "account", "lockstep", "set", "GrpTRES=node=-1")
        self.end(second)
        third = self.start("third", "true", nodes=1, compute="single")
        self.says_why("third", "as many jobs run as it lets: QOS single for one user (limit 1, in use 1)", third)
        self.let_go("first")
        self.end(first)
        self.end(third)

    def test_a_run_whose_limit_becomes_too_small_says_that_it_never_fits(self):
        self.create("small", "qos: small")
        first = self.start_holder("first", compute="small")
        second = self.start("second", "true", nodes=1, compute="small")
        self.says_why("second", "waiting for cores of QOS small (limit 2, in use 2)", second)
        self.addCleanup(self.sacctmgr, "modify", "qos", "small", "set", "GrpTRES=cpu=2")
        self.sacctmgr("modify", "qos", "small", "set", "GrpTRES=cpu=1")
        self.says_why("second", "(limit 1, in use 2); it needs 2, which never fits: ask for fewer nodes, or have the limit of cores "
                                "of QOS small raised (docs/quotas.md), or cancel it", second)
        self.lockstep("job", "cancel", "second")
        self.end(second, code=1)
        self.let_go("first")
        self.end(first)

    def test_what_no_limit_lets_run_is_refused_with_the_limit_and_what_to_do(self):
        for name, engine, why in (
                ("small", "qos: small", "its 2 nodes have 4 cores, and the limit of QOS small is 2: ask for fewer nodes, or"),
                ("narrow", "qos: narrow", r"it wants more nodes than QOS narrow gives one job \(QOSMaxNodePerJobLimit\); ask for"),
                ("nope", "qos: nope", r"Invalid qos specification \('nope'\); those that you may use: sacctmgr show"),
                ("nobodys", "account: nobodys", r"Invalid account .* \('nobodys'\); those that you may use: sacctmgr show")):
            with self.subTest(name):
                self.create(name, engine)
                said = self.run_job(name, "true", compute=name, code=2)
                self.assertRegex(said, f"compute '{name}': Slurm would never start it: {why}")
                self.lockstep("job", "show", name, code=3)

    def test_the_limit_of_a_qos_holds_in_place_of_its_accounts(self):
        self.set_for_now("account", "lockstep", "cpu=2")
        self.create("wide", "account: lockstep, qos: wide")
        self.run_job("wide", "true", compute="wide")
        self.create("single", "account: lockstep, qos: single")
        self.assertIn("its 2 nodes have 4 cores, and the limit of account lockstep is 2: ask for fewer nodes, or have the limit of cores of "
                      "account lockstep raised", self.run_job("single", "true", compute="single", code=2))
        self.set_for_now("qos", "normal", "cpu=4")  # the default QOS of the user
        self.create("default", "account: lockstep")
        self.run_job("default", "true", compute="default")

    def test_the_larger_limit_of_two_qos_refuses_for_the_jobs_may_come_before_the_partitions(self):
        self.slurm("scontrol", "update", "partitionname=low", "qos=small")
        self.addCleanup(self.slurm, "scontrol", "update", "partitionname=low", "qos=")
        self.sacctmgr("modify", "qos", "wide", "set", "flags=OverPartQOS")
        self.addCleanup(self.sacctmgr, "modify", "qos", "wide", "set", "flags-=OverPartQOS")
        self.create("low", "qos: wide", partition="low")
        self.run_job("over", "true", compute="low")

    def test_the_limit_of_its_user_refuses_where_the_accounts_is_larger(self):
        self.set_for_now("account", "lockstep", "cpu=4")
        self.sacctmgr("modify", "user", "where", "name=root", "account=lockstep", "set", "GrpTRES=cpu=3")
        self.addCleanup(self.sacctmgr, "modify", "user", "where", "name=root", "account=lockstep", "set", "GrpTRES=cpu=-1")
        self.create("single", "account: lockstep, qos: single")
        self.assertIn("the limit of user root in account lockstep is 3", self.run_job("large", "true", compute="single", code=2))

    def test_what_one_job_or_one_user_may_have_is_compared_too(self):
        for name, holder in (("by-job", "QOS by-job for one job"), ("by-user", "QOS by-user for one user")):
            with self.subTest(name):
                self.create(name, f"qos: {name}")
                self.run_job(f"small_{name}", "true", nodes=1, compute=name)  # then Slurm tells what the user may have
                said = self.run_job(name, "true", compute=name, code=2)
                self.assertIn(f"its 2 nodes have 4 cores, and the limit of {holder} is 3: ask for fewer nodes", said)

    def test_more_jobs_than_may_be_submitted_are_refused_for_now(self):
        self.create("few", "qos: few")
        first = self.start_holder("first", compute="few")
        said = self.run_job("second", "true", nodes=1, compute="few", code=2)
        self.assertIn("compute 'few': Slurm does not take it now: as many jobs wait and run as QOS few lets one user have: wait until one "
                      "has ended (QOSMaxSubmitJobPerUserLimit)", said)
        self.let_go("first")
        self.end(first)

    def test_the_qos_of_a_partition_holds_its_runs_too(self):
        self.slurm("scontrol", "update", "partitionname=low", "qos=small")
        self.addCleanup(self.slurm, "scontrol", "update", "partitionname=low", "qos=")
        self.create("low", "account: lockstep", partition="low")
        self.assertIn("the limit of QOS small is 2", self.run_job("large", "true", compute="low", code=2))
        first = self.start_holder("first", compute="low")
        second = self.start("second", "true", nodes=1, compute="low")
        self.says_why("second", "it needs 1 node of low: waiting for cores of QOS small (limit 2, in use 2)", second)
        self.let_go("first")
        self.end(first)
        self.end(second)

    def test_runs_are_in_the_books_by_their_names_also_those_that_end_while_slurmdbd_is_dead(self):
        self.assertEqual(self.alive(), ["munged", "mariadbd", "slurmdbd", "slurmctld", "n1", "n2"])
        self.run_job("counted", "true")
        self.becomes_known("lockstep-counted|lockstep|normal|4")
        process = self.start_holder("spooled")
        os.kill(self.daemon("slurmdbd"), signal.SIGKILL)
        self.assertEqual(self.alive(), ["munged", "mariadbd", "slurmctld", "n1", "n2"])
        self.let_go("spooled")
        self.end(process)
        self.run_job("meanwhile", "true", nodes=1)
        subprocess.run(["slurmdbd"], env=self.of_slurm | {"MYSQL_UNIX_PORT": f"{self.box}/run/mariadb.sock"}, check=True,
                       stderr=subprocess.DEVNULL, timeout=60)
        self.becomes_known("lockstep-spooled|lockstep|normal|2", "lockstep-meanwhile|lockstep|normal|2")


class WithoutLimits(KeepsAccounts):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sacctmgr("add", "qos", "small", "set", "GrpTRES=cpu=2")
        cls.sacctmgr("modify", "account", "lockstep", "set", "qos+=small")
        conf = cls.box / "slurm.conf"
        conf.write_text(conf.read_text().replace("Enforce=associations,limits,qos", "Enforce=associations,qos"))
        os.kill(json.loads((cls.box / "run/slurmctld.json").read_text())["pid"], signal.SIGKILL)
        subprocess.run(["slurmctld"], env=cls.of_slurm, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        wait_for(lambda: "UP" in subprocess.run(["scontrol", "ping"], env=cls.of_slurm, capture_output=True, text=True,
                                                check=False).stdout, "slurmctld answers")

    def test_a_limit_that_is_only_written_down_refuses_nothing(self):
        self.assertIn("cpu=2(0)", self.slurm("scontrol", "--oneliner", "show", "assoc_mgr", "flags=qos", "qos=small"))
        self.create("small", "account: lockstep, qos: small")
        self.run_job("large", "true", compute="small")


class Starts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ls-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.up = [LOCKSTEP, "cluster", "up", "--accounting", "--folder", self.folder / "box"]

    def environment_with(self, program, text):
        (self.folder / program).write_text(f"#!/bin/sh\n{text}\n")
        (self.folder / program).chmod(0o755)
        return {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"}

    def test_who_is_not_root_has_an_account_and_is_its_administrator(self):
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        for program in ([LOCKSTEP, "version"], ["unshare", "--user", "--map-current-user", "true"]):
            if subprocess.run([*nobody, *program], capture_output=True, check=False).returncode:
                self.skipTest(f"nobody can't run {program[0]}")
        self.folder.chmod(0o777)
        of_slurm = {**os.environ, "SLURM_CONF": f"{self.folder}/box/slurm.conf"}
        subprocess.run([*nobody, *self.up, "--nodes", "1"], check=True, capture_output=True, timeout=60)
        self.addCleanup(subprocess.run, [*nobody, LOCKSTEP, "cluster", "down", "--folder", self.folder / "box"], capture_output=True)
        subprocess.run([*nobody, "sacctmgr", "-i", "add", "qos", "small"], env=of_slurm, check=True, capture_output=True, timeout=60)
        shown = subprocess.run([*nobody, "srun", "scontrol", "--oneliner", "show", "job"], env=of_slurm, check=True, text=True,
                               stdout=subprocess.PIPE, timeout=60).stdout
        self.assertRegex(shown, r"UserId=nobody\(65534\) .* Account=lockstep QOS=normal")

    def test_a_database_that_does_not_start_is_shown_and_leaves_nothing(self):
        for program in ("mariadb-install-db", "mariadbd"):
            with self.subTest(program):
                done = subprocess.run(self.up, env=self.environment_with(program, "echo no room at the inn; exit 1"), check=False,
                                      capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, f"{program} says:\n(.*\n)*no room at the inn")
                expect_nothing_of(self.folder / "box")
                (self.folder / program).unlink()

    def test_a_start_that_is_killed_while_it_makes_the_database_leaves_nothing_after_down(self):
        with subprocess.Popen(self.up, stderr=subprocess.DEVNULL) as process:
            wait_for((self.folder / "box/database").exists, "it has begun")
            process.kill()
        take_down(self.folder / "box")


if __name__ == "__main__":
    reason = missing()
    if reason:
        print(f"skipped: a cluster that keeps accounts: {reason}")
        sys.exit(77)
    unittest.main()
