"""Where chaos happens: machines that stay for all rounds, so that what one round leaves is the next one's trouble.

A scene has a folder of its own, and in it `small`, a file system for workspaces that can be filled.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import hosts as rig  # noqa: E402
from processes import Process  # noqa: E402

NODES = 3
SMALL_MIB = 48


def missing():
    """Why there can be no such scenes on this machine, or None."""
    absent = [each for each in ("slurmctld", "slurmd", "munged") if not shutil.which(each)]
    return rig.Hosts.missing() or (f"no {', '.join(absent)} (packages slurm-wlm and munge)" if absent else None)


class Scene:
    def __init__(self, build):
        self.build = build
        self.lockstep = build / "bin/lockstep"

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ls-chaos-"))
        self.small = self.folder / "small"
        try:
            self.small.mkdir()  # before the nodes come, which then see it
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_MIB}m", "tmpfs", self.small], check=True)
            self.begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.end()
        subprocess.run(["umount", "--lazy", self.small], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def popen(self, argv, **options):
        return subprocess.Popen(argv, **options)

    def still_there(self):
        """What a finished run may not have left on nodes, as text."""
        return ""


class Hosts(Scene):
    """Hosts in networks of their own, by ssh; `shared` and `apart` are the same hosts with shared files and without."""

    name = "hosts"
    nodes = [f"node-{number}" for number in range(1, NODES + 1)]
    scratch = "/var/tmp"

    def begin(self):
        self.hosts = rig.Hosts(NODES, shared=self.folder, hidden=[self.build])
        self.hosts.__enter__()

    def end(self):
        self.hosts.__exit__()

    def popen(self, argv, **options):
        return self.hosts.start(argv, **options)

    def definitions(self):
        for name, shared in (("shared", "true"), ("apart", "false")):
            yield name, (f"engine: {{type: hosts, hosts: [{', '.join(self.nodes)}], ssh: {{config_file: {self.hosts.ssh_config}}}, "
                         f"shared_files: {shared}}}")

    def node_of(self, process):
        return next((name for name in self.nodes if process.pid in self.hosts.pids(name)), None)

    def still_there(self):
        return "\n".join(f"{name}: {line}" for name in self.nodes for line in self.hosts.processes(name))

    def on(self, node, argv):
        self.hosts.on(node, argv, check=True)


class Box(Scene):
    """A cluster in a box."""

    name = "box"
    nodes = [f"n{number}" for number in range(1, NODES + 1)]
    scratch = "/dev/shm"  # of which each node has its own

    def begin(self):
        self.box = self.folder / "box"
        self.cluster("up", "--nodes", str(NODES), "--cloud-nodes", "2", "--idle-seconds", "2", "--folder", self.box)
        self.environment = {**os.environ, "SLURM_CONF": f"{self.box}/slurm.conf"}

    def end(self):
        self.cluster("down", "--folder", self.box)

    def cluster(self, *words):
        subprocess.run([self.lockstep, "cluster", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=90)

    def slurm(self, *words):
        return subprocess.run(words, env=self.environment, stdout=subprocess.PIPE, check=True, text=True, timeout=90).stdout.strip()

    def definitions(self):
        for name, partition, shared in (("shared", "main", "true"), ("apart", "main", "false"), ("low", "low", "true"),
                                        ("cloud", "cloud", "true")):
            yield name, (f"engine: {{type: slurm, config_file: {self.box}/slurm.conf, partition: {partition}, "
                         f"shared_files: {shared}, scratch: {self.scratch}/lockstep-chaos}}")

    def node_of(self, process):
        return process.environment.get("SLURMD_NODENAME")

    def still_there(self):
        return self.slurm("squeue", "--noheader", "--format=%i %j %T %r %N")

    def on(self, node, argv):
        """A program among the files that a node sees."""
        subprocess.run(["nsenter", f"--mount=/proc/{self.slurmd(node).pid}/ns/mnt", *argv], check=True)

    def slurmd(self, node):
        return next(each for each in Process.all() if each.comm == "slurmd" and each.words.endswith(f" -N {node}")
                    and each.environment.get("SLURM_CONF") == f"{self.box}/slurm.conf")
