"""Jobs that tests start with `lockstep run`, each test with a workspace of its own."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

import waiting

DATA = "/usr/share/datasets/fashion-mnist"
PYTHON = "/usr/bin/python3"  # Debian's, which has torch
DDP = pathlib.Path(__file__).resolve().parents[2] / "configs/jobs/pytorch-ddp.yml"

SAVES_SLOWLY = """python3 - <<'END'
import json, os, signal, time
def save(*_):
    time.sleep({seconds})  # how long the job saves
    print('saved', flush=True)
    os._exit(75)
signal.signal(signal.SIGTERM, save)
start = int(open('/proc/self/stat').read().rsplit(')', 1)[1].split()[19])
path = os.environ['LOCKSTEP_STOPPABLE_FILE']
open(path + '.tmp', 'w').write(json.dumps({{'pid': os.getpid(), 'start_time': start}}))
os.rename(path + '.tmp', path)
print('ready', flush=True)
signal.pause()
END"""


class JobCase(unittest.TestCase):
    """`lockstep_program` is the command, `compute` where jobs go unless they say otherwise."""

    lockstep_program = None
    compute = "local"

    def begin(self, folder=None):
        """To be called by setUp. `folder`: one to be made, and removed again, instead of a temporary one."""
        folder = folder or tempfile.mkdtemp(prefix="lockstep-test-")
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("LOCKSTEP_", "MLFLOW_"))}
        self.environment |= {"LOCKSTEP_WORKSPACE": f"{self.folder}/ws", "LOCKSTEP_RUNTIME_DIR": f"{self.folder}/runtime",
                             "OMPI_MCA_mpi_yield_when_idle": "1"}

    def popen(self, argv, **options):
        return subprocess.Popen(argv, **options)

    def lockstep(self, *words, code=0):
        process = self.popen([self.lockstep_program, *map(str, words)], env=self.environment, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        out, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, code, out + errors)
        return out if code == 0 else out + errors

    def start(self, name, command, *options, nodes=2, compute=None, more="distribution: {type: mpi}\n"):
        file = self.folder / f"{name}.yml"
        file.write_text("command: |\n" + "".join(f"  {line}\n" for line in command.splitlines()) +
                        f"compute: {compute or self.compute}\nresources: {{instance_count: {nodes}}}\n{more}")
        return self.popen([self.lockstep_program, "run", file, "--name", name, *map(str, options)], env=self.environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def end(self, process, code=0):
        said, _ = process.communicate(timeout=150)
        self.assertEqual(process.returncode, code, said)
        return said

    def run_job(self, name, command, *options, code=0, **more):
        return self.end(self.start(name, command, *options, **more), code)

    def show(self, name):
        return json.loads(self.lockstep("job", "show", name, "-o", "json"))

    def status(self, name):
        if not (self.folder / "ws/history.db").exists():
            return ""
        jobs = json.loads(self.lockstep("job", "list", "-o", "json"))
        return next((each["status"] for each in jobs if each["name"] == name), "")

    def run_folder(self, name):
        return self.folder / "ws/runs" / name

    def prepare_log(self, name, node):
        path = self.run_folder(name) / f"logs/prepare-{node}.log"
        return path.read_text() if path.exists() else ""

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

    def wait_for_checkpoint(self, name, process):
        self.wait_for(lambda: list(self.run_folder(name).glob("checkpoints/step-*/manifest.json")), "a checkpoint is here",
                      process, deadline_s=120)

    def weights(self, name):
        return (self.run_folder(name) / "outputs/model/model.safetensors").read_bytes()

    def kill_supervisor_and_keeper(self):
        """Of all runs of this test's workspace."""
        for name in ("lockstep-superv", "lockstep-keeper"):
            found = [int(each) for each in filter(str.isdigit, os.listdir("/proc")) if self._is_of_runs(each, name)]
            self.assertTrue(found, name)
            for each in found:
                os.kill(each, signal.SIGKILL)

    def _is_of_runs(self, process, name):
        try:
            files = {os.readlink(f"/proc/{process}/fd/{fd}") for fd in os.listdir(f"/proc/{process}/fd")}
            return pathlib.Path(f"/proc/{process}/comm").read_text().strip() == name and any(
                each.startswith(str(self.folder)) for each in files)
        except OSError:
            return False  # it has ended
