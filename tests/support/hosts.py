"""Several hosts on one machine, in a network of their own, for tests of what goes from host to host by ssh.

    with Hosts(3, shared=folder, hidden=[build]) as hosts:  # node-1, node-2, node-3
        hosts.run(["ssh", "-F", hosts.ssh_config, "node-2", "hostname"])

A host has these for itself: network, host name, processes with their /proc, System V IPC, /tmp, /var/tmp, /dev/shm,
/run, /etc/hosts and /etc/ssh, with an sshd for root. All other files are the machine's. The launcher, where jobs are
submitted, has its own network, host name and /etc/hosts; its processes and all other files are the machine's. Nobody in
there reaches what listens on the machine's addresses, 127.0.0.1 included.

These are Linux namespaces without a name: each lives as long as its first process (hosts.sh), and that one until the
pipe from here is closed. So rigs do not get in each other's way, and none outlives its test, even if that gets SIGKILL.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

FIRST_PROCESS = pathlib.Path(__file__).resolve().parent / "hosts.sh"
PACKAGES = {"bash": "bash", "hostname": "hostname", "ip": "iproute2", "mount": "mount", "nsenter": "util-linux",
            "unshare": "util-linux", "ssh": "openssh-client", "ssh-keygen": "openssh-client",
            "/usr/sbin/sshd": "openssh-server"}
LAUNCHER = "launcher"
NAMESPACES = {"switch": ["--net"], "launcher": ["--net", "--uts", "--mount"],
              "host": ["--net", "--uts", "--mount", "--ipc", "--pid"]}

# Many logins may come at once: by default, sshd turns some away when there are more than ten. SHLVL makes bash believe
# that it is not the first shell: it would read this machine's .bashrc, which may take long or print something.
SSHD_CONFIG = """HostKey /etc/ssh/host_key
AuthorizedKeysFile /etc/ssh/client_key.pub
PidFile /run/sshd.pid
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
AllowTcpForwarding yes
MaxStartups 1000
SetEnv SHLVL=1
Subsystem sftp internal-sftp
"""

# The usual key exchange takes twice the time of all the rest of a login.
SSH_CONFIG = """Host *
  User root
  IdentityFile {folder}/client_key
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  KexAlgorithms curve25519-sha256
  BatchMode yes
  ConnectTimeout 5
  LogLevel ERROR
"""


class Hosts:
    """`shared`: a folder that the hosts and this machine have in common, wherever it is. `hidden`: folders of this
    machine that are empty on the hosts, but for a shared one in them."""

    def __init__(self, count, shared=None, hidden=()):
        self.names = [f"node-{number}" for number in range(1, count + 1)]
        self._numbers = {name: number for number, name in enumerate(self.names, 1)} | {LAUNCHER: 254}
        self._folders = [str(shared or ""), *map(str, hidden)]
        for folder in filter(None, self._folders):
            if not os.path.isabs(folder) or not os.path.isdir(folder):
                raise ValueError(f"not the absolute path of a folder: {folder}")

    @staticmethod
    def missing():
        """Why there can be no such hosts on this machine, or None."""
        if os.geteuid() != 0:
            return "hosts in namespaces need root"
        for program, package in PACKAGES.items():
            if not shutil.which(program):
                return f"no {program} (package {package})"
        tried = subprocess.run(["unshare", *NAMESPACES["host"], "--fork", "bash", "-ec",
                                "mount -t tmpfs tmpfs /tmp; ip link add type veth; ip link add type bridge"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return f"no namespaces with a network on this machine: {tried.stdout.strip()}" if tried.returncode else None

    def __enter__(self):
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-hosts-"))
        self.ssh_config = self._folder / "ssh_config"
        self._begun = {}  # by name: the process that was started here
        self._first = {}  # by name: the number of the first process in the namespaces
        self._programs = []
        try:
            self._write_files()
            self._begin("switch")
            self._await("switch")
            for name in self._numbers:
                self._begin(name)
            for name in self._numbers:
                self._await(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self._begun.values():
            process.stdin.close()
        for process in self._begun.values():
            process.wait()
            process.stdout.close()
        for program in self._programs:
            program.kill()  # no more than a formality, unless it went to another network
            program.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, argv, cwd=None, **options):
        """subprocess.run of a program at the launcher. What it leaves behind ends with the hosts."""
        return subprocess.run([*self._enter(LAUNCHER, cwd or os.getcwd()), *argv], **options)

    def start(self, argv, cwd=None, **options):
        """subprocess.Popen of a program at the launcher; its number is the program's own."""
        self._programs.append(subprocess.Popen([*self._enter(LAUNCHER, cwd or os.getcwd()), *argv], **options))
        return self._programs[-1]

    def on(self, name, argv, cwd="/", **options):
        """subprocess.run of a program on a host, without ssh. SIGKILL to all there (`kill -KILL -1`) leaves the bare
        host, and /usr/sbin/sshd then lets ssh in again."""
        return subprocess.run([*self._enter(name, cwd), *argv], **options)

    def pids(self, name):
        """Of all processes on a host but its first one, as the machine counts them."""
        if name not in self._first:
            return []
        first = self._first[name]
        its_own, found = os.stat(f"/proc/{first}/ns/pid").st_ino, []
        for process in map(int, filter(str.isdigit, os.listdir("/proc"))):
            try:
                if process != first and os.stat(f"/proc/{process}/ns/pid").st_ino == its_own:
                    found.append(process)
            except OSError:
                pass  # it has ended
        return found

    def processes(self, name):
        """The command lines of all processes on a host, but for its first one and the sshd that listens."""
        found = []
        for process in self.pids(name):
            try:
                words = pathlib.Path(f"/proc/{process}/cmdline").read_text(errors="replace").split("\0")
                found.append(" ".join(words).strip())
            except OSError:
                pass  # it has ended
        return [line for line in found if not (line.startswith("sshd:") and "[listener]" in line)]

    def cut(self, name):
        """What is sent to and from a host vanishes."""
        self._at_switch("link", "set", f"port-{self._numbers[name]}", "down")

    def join(self, name):
        self._at_switch("link", "set", f"port-{self._numbers[name]}", "up")

    def kill(self, name):
        """Every process of a host gets SIGKILL at once. Their connections are closed; those of a host that was cut
        before are not, which is how a loss of power looks from outside."""
        os.kill(self._first.pop(name), signal.SIGKILL)  # the kernel ends all others with it, and it after them
        self._begun[name].communicate()
        self._at_switch("link", "del", f"port-{self._numbers[name]}", check=False)  # it may have gone with the host

    def revive(self, name):
        """A killed host comes back as one that was switched on: with the same address and keys, without its /tmp."""
        if name in self._first:
            raise ValueError(f"{name} is alive")
        self._begin(name)
        self._await(name)

    def _write_files(self):
        ssh = self._folder / "ssh"  # /etc/ssh of each host
        ssh.mkdir()
        for key in (self._folder / "client_key", ssh / "host_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
        shutil.copy(self._folder / "client_key.pub", ssh)
        (ssh / "sshd_config").write_text(SSHD_CONFIG)
        (self._folder / "known_hosts").write_text(f"* {(ssh / 'host_key.pub').read_text()}")
        self.ssh_config.write_text(SSH_CONFIG.format(folder=self._folder))
        (self._folder / "hosts").write_text("127.0.0.1 localhost\n" + "".join(
            f"10.0.0.{number} {name}\n" for name, number in self._numbers.items()))

    def _begin(self, name):
        kind = "host" if name in self.names else name
        command = ["unshare", *NAMESPACES[kind], *(["--fork"] if kind == "host" else []), "bash", FIRST_PROCESS, kind]
        if kind != "switch":
            command += [name, str(self._numbers[name]), str(self._first["switch"]), self._folder]
        if kind == "host":
            command += self._folders
        # Ctrl-C at a terminal is for the test, which then ends these: hence a session of their own.
        self._begun[name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                             stderr=subprocess.STDOUT, text=True, start_new_session=True)

    def _await(self, name):
        said = ""
        for line in self._begun[name].stdout:
            if line.startswith("READY "):
                self._first[name] = int(line.split()[1])
                return
            said += line
        raise AssertionError(f"{name} did not come up: {said}")

    def _enter(self, name, folder):
        """Who comes into other mounts is at their root: the folder has to be said."""
        return [shutil.which("nsenter"), "--target", str(self._first[name]),
                *NAMESPACES["host" if name in self.names else name], f"--wdns={folder}", "--"]

    def _at_switch(self, *command, check=True):
        namespace = f"--net=/proc/{self._first['switch']}/ns/net"
        subprocess.run(["nsenter", namespace, "ip", *command], check=check,
                       stderr=None if check else subprocess.DEVNULL)


def run_tests(what):
    """The tests of the program that calls this, where there can be hosts; else it is a skipped test, with the reason."""
    reason = Hosts.missing()
    if reason:
        print(f"skipped: {what}: {reason}")
        sys.exit(77)
    unittest.main()
