"""The processes of this machine, those in namespaces of it included, as /proc has them."""

import os
import pathlib
import signal


class Process:
    def __init__(self, pid):
        folder = pathlib.Path(f"/proc/{pid}")
        self.pid = pid
        stat = (folder / "stat").read_text(errors="replace")
        self.comm = stat[stat.index("(") + 1:stat.rindex(")")]
        self.state, parent = stat[stat.rindex(")") + 1:].split()[:2]
        self.parent = int(parent)
        self.words = (folder / "cmdline").read_text(errors="replace").replace("\0", " ").strip()
        block = (folder / "environ").read_text(errors="replace")
        self.environment = dict(each.split("=", 1) for each in block.split("\0") if "=" in each)

    @staticmethod
    def all():
        """Those that run; not ourselves."""
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            try:
                process = Process(pid)
            except OSError:
                continue  # it has ended
            if pid != os.getpid() and process.state not in "ZX":
                yield process

    def is_of(self, run):
        return self.environment.get("LOCKSTEP_RUN_ID") == run or run in self.words

    def kill(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def __repr__(self):
        return f"{self.pid} ({self.comm}) {self.words[:160]}"
