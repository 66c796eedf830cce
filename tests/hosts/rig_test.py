#!/usr/bin/env python3
"""The hosts that other tests are made with: apart as real ones are, and gone without a trace."""

import glob
import itertools
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "support"))
from hosts import Hosts, run_tests  # noqa: E402
from waiting import wait_for  # noqa: E402

CAPTURED = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}


def processes_with(text):
    """The command lines of all processes of this machine that have it, hosts included."""
    found = []
    for file in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            found.append(pathlib.Path(file).read_text(errors="replace").replace("\0", " "))
        except OSError:
            pass
    return [line for line in found if text in line]


def sleeper(count=itertools.count()):
    """A command that nobody else runs, and its command line."""
    command = ["sleep", f"{100000 + os.getpid()}.{next(count)}"]
    return command, " ".join(command)


def state_of_machine():
    return {"namespaces": subprocess.run(["ip", "netns", "list"], check=True, **CAPTURED).stdout,
            "links": sorted(os.listdir("/sys/class/net")),
            "mounts": pathlib.Path("/proc/self/mountinfo").read_text()}


class Rig(unittest.TestCase):
    def hosts(self, *arguments, **options):
        begun = time.monotonic()
        hosts = self.enterContext(Hosts(*arguments, **options))
        print(f"{len(hosts.names)} hosts after {time.monotonic() - begun:.2f} s", flush=True)
        return hosts

    def ssh(self, hosts, name, *command, timeout_s=5):
        return hosts.run(["ssh", "-F", hosts.ssh_config, "-o", f"ConnectTimeout={timeout_s}", name, *command],
                         **CAPTURED)

    def assertSays(self, done, text):
        self.assertEqual((done.returncode, done.stdout.strip()), (0, text))

    def test_each_host_is_reached_by_its_name_and_has_it(self):
        hosts = self.hosts(3)
        self.assertEqual(hosts.names, ["node-1", "node-2", "node-3"])
        for name in hosts.names:
            self.assertSays(self.ssh(hosts, name, "hostname"), name)
        self.assertSays(hosts.run(["hostname"], **CAPTURED), "launcher")
        self.assertSays(hosts.on("node-1", ["getent", "hosts", "launcher", "node-3"], **CAPTURED),
                        "10.0.0.254      launcher\n10.0.0.3        node-3")

    def test_a_program_at_the_launcher_is_on_this_machine(self):
        hosts = self.hosts(1)
        with tempfile.TemporaryDirectory() as folder:
            self.assertSays(hosts.run(["sh", "-c", "pwd; echo $WORD"], cwd=folder, env={"WORD": "a b"}, **CAPTURED),
                            f"{folder}\na b")
        program = hosts.start(["sh", "-c", "echo $$; exec sleep 1000"], **CAPTURED)
        self.assertEqual(int(program.stdout.readline()), program.pid)
        program.terminate()
        program.communicate(timeout=20)
        self.assertEqual(program.returncode, -signal.SIGTERM)

    def test_mpirun_starts_its_ranks_on_the_hosts(self):
        hosts = self.hosts(2)
        environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        done = hosts.run(["mpirun", "--mca", "plm_rsh_agent", "ssh", "--mca", "plm_rsh_args", f"-F {hosts.ssh_config}",
                          "--bind-to", "none", "--host", "node-1:2,node-2:2", "-np", "4", "hostname"], env=environment,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=60, check=True)
        self.assertEqual(sorted(done.stdout.split()), ["node-1", "node-1", "node-2", "node-2"])
        for name in hosts.names:
            wait_for(lambda name=name: not hosts.processes(name), lambda name=name: hosts.processes(name))

    def test_hosts_have_in_common_what_is_shared_and_not_what_is_hidden(self):
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
            hosts = self.hosts(2, shared=folder, hidden=[TESTS])
            self.assertEqual(hosts.on("node-1", ["test", "-e", other]).returncode, 1)
            self.assertSays(hosts.on("node-1", ["ls", "-A", TESTS], **CAPTURED), "")
            self.assertSays(hosts.on("node-1", ["sh", "-c", f"echo to all >{folder}/file"], **CAPTURED), "")
            self.assertSays(hosts.on("node-2", ["cat", f"{folder}/file"], **CAPTURED), "to all")
            self.assertSays(hosts.run(["cat", f"{folder}/file"], **CAPTURED), "to all")
            for own in ("/tmp", "/var/tmp", "/dev/shm", "/run/lockstep"):
                self.assertSays(hosts.on("node-1", ["touch", f"{own}/of-node-1"], **CAPTURED), "")
                self.assertEqual(hosts.on("node-2", ["test", "-e", f"{own}/of-node-1"]).returncode, 1, own)
                self.assertFalse(os.path.exists(f"{own}/of-node-1"))

    def test_a_cut_host_cannot_be_reached_until_it_is_joined(self):
        hosts = self.hosts(2)
        self.assertSays(self.ssh(hosts, "node-2", "hostname"), "node-2")
        hosts.cut("node-2")
        cut_off = self.ssh(hosts, "node-2", "hostname", timeout_s=1)
        self.assertEqual(cut_off.returncode, 255)
        self.assertRegex(cut_off.stdout, "timed out|No route to host")  # by ssh's own limit: nobody refuses
        self.assertSays(self.ssh(hosts, "node-1", "hostname"), "node-1")
        hosts.join("node-2")
        wait_for(lambda: self.ssh(hosts, "node-2", "hostname", timeout_s=1).returncode == 0, "node-2 is back", 10)

    def test_killing_a_host_ends_all_there_and_nothing_elsewhere(self):
        hosts = self.hosts(2)
        lines = {}
        for name in hosts.names:
            command, lines[name] = sleeper()
            self.assertSays(self.ssh(hosts, name, f"touch /tmp/here; setsid {' '.join(command)} >/dev/null 2>&1 &"), "")
            wait_for(lambda name=name: hosts.processes(name) == [lines[name]], "ssh has gone, its program has not")
        client = hosts.start(["ssh", "-F", hosts.ssh_config, "node-2", "sleep 1000"], **CAPTURED)
        wait_for(lambda: len(hosts.processes("node-2")) == 3, "it is logged in")
        hosts.kill("node-2")
        self.assertEqual((hosts.processes("node-2"), processes_with(lines["node-2"])), ([], []))
        self.assertEqual(hosts.processes("node-1"), [lines["node-1"]])
        self.assertEqual(client.wait(timeout=20), 255)
        client.communicate()
        self.assertEqual(self.ssh(hosts, "node-2", "hostname", timeout_s=1).returncode, 255)
        hosts.revive("node-2")
        self.assertSays(self.ssh(hosts, "node-2", "hostname; ls -A /tmp"), "node-2")

    def test_a_sweep_of_processes_ends_at_its_host(self):
        hosts = self.hosts(2)
        command, line = sleeper()
        program = hosts.start(["ssh", "-F", hosts.ssh_config, "node-1", *command], **CAPTURED)
        wait_for(lambda: line in hosts.processes("node-1"), "it runs")
        hosts.on("node-2", ["bash", "-c", "kill -KILL -1"])
        self.assertEqual(self.ssh(hosts, "node-2", "hostname").returncode, 255)
        self.assertIn(line, hosts.processes("node-1"))
        self.assertSays(hosts.on("node-2", ["/usr/sbin/sshd"], **CAPTURED), "")
        wait_for(lambda: self.ssh(hosts, "node-2", "hostname").returncode == 0, "sshd listens again")
        program.kill()
        program.communicate()

    def test_nothing_is_left_when_a_test_fails(self):
        before = state_of_machine()
        commands, lines = zip(*(sleeper() for _ in range(3)))
        with self.assertRaisesRegex(RuntimeError, "of the test"), Hosts(2) as hosts:
            hosts.start(commands[0])
            hosts.run(["setsid", "--fork", *commands[1]])
            hosts.on("node-1", ["setsid", "--fork", *commands[2]])
            for line in lines:
                wait_for(lambda line=line: processes_with(line), line)
            folder = str(hosts.ssh_config.parent)
            self.assertEqual(len(processes_with(folder)), 5)  # the first ones; and unshare, which waits for a host's
            raise RuntimeError("of the test")
        self.assertEqual([processes_with(text) for text in (*lines, folder)], [[], [], [], []])
        self.assertFalse(os.path.exists(folder))
        self.assertEqual(state_of_machine(), before)

    def test_nothing_is_left_when_a_test_is_killed(self):
        (at_launcher, first), (on_host, second) = sleeper(), sleeper()
        test = subprocess.Popen([sys.executable, "-c", f"""
import signal, sys
sys.path.insert(0, {str(TESTS / "support")!r})
from hosts import Hosts
with Hosts(1) as hosts:
    hosts.start({at_launcher!r})
    hosts.on("node-1", ["setsid", "--fork", *{on_host!r}])
    print(hosts.ssh_config.parent, flush=True)
    signal.pause()
"""], stdout=subprocess.PIPE, text=True)
        folder = test.stdout.readline().strip()
        for line in (first, second):
            wait_for(lambda line=line: processes_with(line), line)
        test.kill()
        test.communicate()
        wait_for(lambda: not any(map(processes_with, (first, second, folder))), "all have gone")
        wait_for(lambda: not os.path.exists(folder), "its folder has gone")


if __name__ == "__main__":
    run_tests("hosts")
