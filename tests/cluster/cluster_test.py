#!/usr/bin/env python3
"""`lockstep cluster`: real Slurm, whose nodes are processes of this machine.

    cluster_test.py BUILD-FOLDER [TEST...]
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

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from waiting import wait_for  # noqa: E402

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
LOCKSTEP = BUILD / "bin/lockstep"
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
SUM = r"""#include <mpi.h>
#include <stdio.h>
int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int one = 1, sum = 0;
  MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  printf("sum %d\n", sum);
  MPI_Finalize();
}
"""


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def processes_of(folder):
    """Those that have the folder in their environment or arguments, by pid, without ourselves and what has ended."""
    found = {}
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            process = pathlib.Path(f"/proc/{pid}")
            words = (process / "cmdline").read_text(errors="replace").replace("\0", " ")
            if pid != os.getpid() and is_running(pid) and f"{folder}/" in words + (process / "environ").read_text(errors="replace"):
                found[pid] = words
        except OSError:
            pass
    return found


class Cluster(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ls-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.box = self.folder / "box"
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("LOCKSTEP_", "SLURM", "OMPI_", "PMIX_"))}
        self.environment |= {"LOCKSTEP_RUNTIME_DIR": f"{self.folder}/runtime", "OMPI_ALLOW_RUN_AS_ROOT": "1",
                             "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_mpi_yield_when_idle": "1"}
        self.addCleanup(self.take_down)

    def take_down(self):
        for each in self.folder.iterdir():
            subprocess.run([LOCKSTEP, "cluster", "down", "--folder", each], env=self.environment, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=60, check=False)

    def run_program(self, argv, code=0, **environment):
        done = subprocess.run(list(map(str, argv)), env=self.environment | environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=100, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr

    def lockstep(self, *words, code=0, **environment):
        return self.run_program([LOCKSTEP, "cluster", *words], code, **environment)

    def up(self, *words, box=None):
        return self.lockstep("up", "--folder", box or self.box, *words)

    def down(self, box=None):
        self.lockstep("down", "--folder", box or self.box)
        self.nothing_is_left(box)

    def slurm(self, *words, box=None, code=0):
        return self.run_program(words, code, SLURM_CONF=f"{box or self.box}/slurm.conf")

    def show(self):
        return json.loads(self.lockstep("show", "--folder", self.box, "-o", "json"))

    def submit(self, script, *words):
        path = self.folder / "job.sh"
        path.write_text("#!/bin/bash\n" + script)
        return self.slurm("sbatch", "--parsable", *words, "-o", self.folder / "job.out", path).strip()

    def said_by_job(self, words):
        path = self.folder / "job.out"
        return path.exists() and words in path.read_text()

    def job(self, number):
        """The fields of a job that are no sentences."""
        lines = self.slurm("scontrol", "show", "job", number).split()
        return dict(each.split("=", 1) for each in lines if "=" in each)

    def pid(self, daemon):
        return json.loads((self.box / f"run/{daemon}.json").read_text())["pid"]

    def nothing_is_left(self, box=None):
        box = box or self.box
        self.assertFalse(box.exists())
        self.assertEqual(processes_of(box), {})

    def programs(self, **scripts):
        """A PATH in which these come first."""
        folder = self.folder / "programs"
        folder.mkdir()
        for name, text in scripts.items():
            (folder / name).write_text("#!/bin/sh\n" + text)
            (folder / name).chmod(0o755)
        return f"{folder}:{os.environ['PATH']}"


class Jobs(Cluster):
    def test_run_on_nodes_with_names_of_their_own(self):
        said = self.up("--nodes", "3", "--cores-per-node", "4", "--license", "matlab:2")
        self.assertIn(f"export SLURM_CONF={self.box}/slurm.conf", said)
        self.assertIn(f"engine: {{type: slurm, config_file: {self.box}/slurm.conf, partition: main, shared_files: true}}", said)
        self.assertEqual(sorted(self.slurm("srun", "-N3", "hostname").split()), ["n1", "n2", "n3"])
        ranks = self.slurm("salloc", "-N2", "--ntasks-per-node=2", "mpirun", "--bind-to", "none", "hostname").split()
        self.assertEqual(sorted(ranks), ["n1", "n1", "n2", "n2"])
        self.assertIn("matlab", self.slurm("scontrol", "show", "licenses"))
        if shutil.which("mpicc"):
            (self.folder / "sum.c").write_text(SUM)
            self.run_program(["mpicc", self.folder / "sum.c", "-o", self.folder / "sum"])
            self.assertEqual(self.slurm("srun", "--mpi=pmix", "-N2", "-n4", self.folder / "sum"), "sum 4\n" * 4)
        shown = self.show()
        self.assertEqual(shown["slurm_conf"], f"{self.box}/slurm.conf")
        self.assertEqual([each["name"] for each in shown["daemons"] if each["alive"]], ["munged", "slurmctld", "n1", "n2", "n3"])
        self.assertEqual([each["name"] for each in shown["nodes"]], ["n1", "n2", "n3"])
        self.down()

    def test_of_higher_priority_displace_others_which_run_again(self):
        self.up("--nodes", "2")
        low = self.submit("echo begun; sleep 1000\n", "-p", "low", "-N2", "--exclusive", "--requeue", "--open-mode=append")
        wait_for(lambda: self.said_by_job("begun"), "it runs")
        urgent = self.slurm("srun", "-p", "dedicated", "-N2", "--exclusive", "hostname").split()
        self.assertEqual(sorted(urgent), ["n1", "n2"])
        self.assertEqual(self.job(low)["Restarts"], "1")
        wait_for(lambda: self.job(low)["JobState"] == "RUNNING", "it runs again", deadline_s=60)
        self.assertEqual(self.show()["running"], 1)
        self.down()

    def test_switch_cloud_nodes_on_that_are_off_when_they_are_idle(self):
        self.up("--nodes", "1", "--cloud-nodes", "2", "--idle-seconds", "3")
        self.assertIn({"name": "c1", "pid": None, "alive": False}, self.show()["daemons"])
        self.assertIn({"name": "c1", "state": "idle+cloud+powered_down"}, self.show()["nodes"])
        node = self.slurm("srun", "-p", "cloud", "-N1", "hostname").strip()
        self.assertIn(node, ["c1", "c2"])
        pid = self.pid(node)
        wait_for(lambda: not is_running(pid), "its slurmd is stopped", deadline_s=60)
        log = self.box / "log/nodes.log"
        wait_for(lambda: f"{node} stopped" in log.read_text(), log.read_text)
        self.assertRegex(log.read_text(), rf"^\S+Z {node} started\n\S+Z {node} stopped\n$")
        off = {"name": node, "state": "idle+cloud+powered_down"}
        wait_for(lambda: off in self.show()["nodes"], lambda: f"it is off: {self.show()['nodes']}", deadline_s=60)
        self.assertEqual(self.slurm("srun", "-p", "cloud", "-w", node, "hostname").strip(), node)
        self.down()

    def test_go_with_a_node_that_is_switched_off(self):
        self.up("--nodes", "2")
        self.submit("trap '' TERM; env -i setsid sleep 1000 & echo $!; wait\n", "-w", "n2")
        wait_for(lambda: self.said_by_job("\n"), "it runs")
        pid = int((self.folder / "job.out").read_text())
        self.lockstep("node-stop", self.box, "n2")
        self.assertFalse(is_running(pid))
        self.assertIn({"name": "n2", "pid": None, "alive": False}, self.show()["daemons"])
        self.lockstep("node-start", self.box, "n2")
        # Slurm, who has not missed it yet, may send the job before the node listens.
        wait_for(lambda: self.slurm("srun", "-w", "n2", "hostname") == "n2\n", "it takes jobs again", passing=AssertionError)
        self.assertIn("no node 'n3'", self.lockstep("node-start", self.box, "n[2-3]", code=2))
        self.down()

    def test_end_with_the_cluster_whatever_they_do_against_it(self):
        self.up("--nodes", "2", "--cores-per-node", "1")
        self.submit("trap '' TERM; env -i setsid sleep 1000 & echo $!; wait\n", "-N2")
        wait_for(lambda: self.said_by_job("\n"), "it runs")
        self.submit("hostname\n", "-N2")
        pid = int((self.folder / "job.out").read_text().split()[0])
        self.assertEqual([self.show()["running"], self.show()["pending"]], [1, 1])
        self.down()
        self.assertFalse(is_running(pid))


class Clusters(Cluster):
    def test_live_beside_each_other(self):
        other = self.folder / "other"
        self.up("--nodes", "2")
        self.up("--nodes", "2", box=other)
        for box in (self.box, other):
            self.assertEqual(sorted(self.slurm("srun", "-N2", "hostname", box=box).split()), ["n1", "n2"])
        self.down()
        self.assertEqual(sorted(self.slurm("srun", "-N2", "hostname", box=other).split()), ["n1", "n2"])
        self.down(other)

    def test_of_who_is_not_root(self):
        if os.geteuid() != 0 or not shutil.which("setpriv"):
            self.skipTest("this is not root, who could become somebody else")
        self.folder.chmod(0o777)
        if subprocess.run([*NOBODY, LOCKSTEP, "version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
            self.skipTest("nobody can't read the build folder")
        if subprocess.run([*NOBODY, "unshare", "--user", "--map-current-user", "true"], stderr=subprocess.DEVNULL, check=False).returncode:
            self.skipTest("no user namespaces on this machine")
        lockstep = [*NOBODY, LOCKSTEP, "cluster"]
        self.run_program([*lockstep, "up", "--folder", self.box])
        conf = f"SLURM_CONF={self.box}/slurm.conf"
        self.assertEqual(sorted(self.run_program([*NOBODY, "env", conf, "srun", "-N2", "hostname"]).split()), ["n1", "n2"])
        self.run_program([*NOBODY, "env", conf, "sbatch", "-N2", "-o", "/dev/null", "--wrap", "sleep 1000"])
        for daemon in ("munged", "slurmctld", "n1"):
            os.kill(self.pid(daemon), signal.SIGKILL)
        self.run_program([*lockstep, "down", "--folder", self.box])
        self.nothing_is_left()

    def test_that_are_there_are_not_started_again(self):
        self.up("--nodes", "1")
        self.assertIn(f"a cluster runs in {self.box}; take it down first", self.lockstep("up", "--folder", self.box, code=2))
        self.assertEqual(self.slurm("srun", "hostname"), "n1\n")
        self.down()

    def test_are_in_the_runtime_folder_unless_told_otherwise(self):
        said = self.lockstep("show", code=3)
        self.assertIn(f"there is no cluster in {self.folder}/runtime/cluster", said)
        self.assertIn(f"export SLURM_CONF={self.folder}/runtime/cluster/slurm.conf\n", self.lockstep("up", "--nodes", "1"))
        self.lockstep("show")
        self.lockstep("down")
        self.nothing_is_left(self.folder / "runtime/cluster")
        self.lockstep("down")

    def test_take_no_folder_of_somebody_else(self):
        self.box.mkdir()
        (self.box / "thesis").write_text("all of it")
        self.assertIn("is not empty", self.lockstep("up", "--folder", self.box, code=2))
        self.assertIn("is no cluster's folder", self.lockstep("down", "--folder", self.box, code=2))
        self.assertEqual(os.listdir(self.box), ["thesis"])

    def test_are_refused_with_all_reasons_before_anything_is_made(self):
        said = self.lockstep("up", "--folder", self.box, "--nodes", "0", "--idle-seconds", "0", code=2)
        self.assertIn("--nodes 0: it must be 1 to 64\n--idle-seconds 0", said)
        self.assertIn("NAME:COUNT", self.lockstep("up", "--folder", self.box, "--license", "matlab", code=2))
        self.nothing_is_left()


class Trouble(Cluster):
    def with_a_job(self):
        self.up("--nodes", "2")
        self.submit("env -i setsid sleep 1000 & echo $!; wait\n", "-N2")
        wait_for(lambda: self.said_by_job("\n"), "it runs")
        return int((self.folder / "job.out").read_text())

    def test_killed_daemons_leave_nothing(self):
        for killed in (["slurmctld"], ["munged"], ["n1", "n2"], ["munged", "slurmctld", "n1", "n2"]):
            with self.subTest(killed):
                job = self.with_a_job()
                for each in killed:
                    os.kill(self.pid(each), signal.SIGKILL)
                self.down()
                self.assertFalse(is_running(job))
                (self.folder / "job.out").unlink()

    def test_a_daemon_that_hangs_is_killed(self):
        self.up("--nodes", "1")
        os.kill(self.pid("n1"), signal.SIGSTOP)
        self.down()

    def test_a_folder_that_was_removed_leaves_nothing(self):
        self.with_a_job()
        shutil.rmtree(self.box)
        self.down()

    def test_what_can_not_start_is_shown_and_leaves_nothing(self):
        said = self.lockstep("up", "--folder", self.box, code=1, PATH=self.programs(slurmctld="echo 'no room at the inn' >&2; exit 1"))
        self.assertRegex(said, "slurmctld ended. slurmctld says:\n(.*\n)*no room at the inn")
        self.nothing_is_left()

    def start_that_waits(self):
        """A `cluster up` whose slurmctld never answers."""
        path = self.programs(slurmctld="echo waits; exec sleep 1000")
        process = subprocess.Popen([LOCKSTEP, "cluster", "up", "--folder", self.box], env=self.environment | {"PATH": path},
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        said, known = self.box / "log/slurmctld.said", self.box / "run/slurmctld.json"
        # A real one is known by its program's name as well, this one by its file alone.
        wait_for(lambda: known.exists() and "waits" in said.read_text(), "slurmctld waits")
        return process

    def test_an_interrupted_start_leaves_nothing(self):
        process = self.start_that_waits()
        self.assertIn("is at work", self.lockstep("down", "--folder", self.box, code=1))
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, said)
        self.nothing_is_left()

    def test_a_killed_start_can_be_taken_down(self):
        process = self.start_that_waits()
        process.kill()
        process.wait()
        self.assertIn("take it down first", self.lockstep("up", "--folder", self.box, code=2))
        self.down()


def missing():
    """Why there can be no cluster on this machine, or None."""
    places = os.environ["PATH"] + ":/usr/sbin:/sbin"
    for program, package in {"munged": "munge", "slurmctld": "slurm-wlm", "slurmd": "slurm-wlm", "srun": "slurm-wlm"}.items():
        if not shutil.which(program, path=places):
            return f"no {program} (package {package})"
    namespaces = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    tried = subprocess.run(["unshare", *namespaces, "--uts", "--mount", "sh", "-c", "hostname box && mount -t tmpfs tmpfs /dev/shm"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return f"no host names of nodes' own: {tried.stdout.strip()}" if tried.returncode else None


if __name__ == "__main__":
    reason = missing()
    if reason:
        print(f"skipped: a cluster in a box: {reason}")
        sys.exit(77)
    unittest.main()
