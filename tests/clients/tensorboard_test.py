#!/usr/bin/env python3
"""What TensorBoard reads of runs: the files that lockstep-train wrote, those that `lockstep tensorboard` makes of the
store, and what it answers when it is started on them.

    tensorboard_test.py BUILD-FOLDER
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

import servers
import waiting
import numpy
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.util import tensor_util

DATA = "/usr/share/datasets/fashion-mnist"
TRAINING = f"""
command: lockstep-train --model mlp --layers 32,16 --data {DATA} --max-steps 60 --weight-histograms 20
experiment_name: boards
display_name: trained
distribution: {{type: mpi, process_count_per_instance: 2}}
environment_variables: {{MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL: 1}}
"""
# A program that knows nothing of TensorBoard. The last metric is logged from the last step to the first.
SCRIPT = f"""
command: {sys.executable} -B -W ignore -c 'import sys; exec(sys.stdin.read())' < script.py
code: {{code}}
experiment_name: boards
display_name: logged
"""
LINES = """
import math, mlflow
with mlflow.start_run():
    mlflow.log_params({"lr": "0.1", "a": "x|y"})
    for step in range(30):
        mlflow.log_metric("loss", 1 / (1 + step), step=step)
        mlflow.log_metric("odd/\u00e9", [math.nan, math.inf, -math.inf, 1e300, -1e300, 1e-320][step % 6], step=step)
    mlflow.log_metric("n" * 250, 0.1, step=2**40)
    for step in range(9, -1, -1):
        mlflow.log_metric("backwards", step * step, step=step)
"""


class Sandbox(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)
        programs = [f"{sys.argv[1]}/bin", os.path.dirname(sys.executable)]
        cls.environment = {**os.environ, "LOCKSTEP_WORKSPACE": str(cls.path / "workspace"),
                           "LOCKSTEP_RUNTIME_DIR": str(cls.path / "runtime"), "TMPDIR": str(cls.path / "tmp"),
                           "PATH": ":".join(programs) + ":" + os.environ["PATH"]}
        (cls.path / "tmp").mkdir()
        (cls.path / "code").mkdir()
        (cls.path / "code/script.py").write_text(LINES)
        cls.run_job("trained", TRAINING)
        cls.run_job("logged", SCRIPT.format(code=cls.path / "code"))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def lockstep(cls, *arguments, code=0, path=None):
        environment = {**cls.environment, **({"PATH": path} if path else {})}
        done = subprocess.run([f"{sys.argv[1]}/bin/lockstep", *arguments], env=environment, cwd=cls.path,
                              capture_output=True, text=True, timeout=240)
        if done.returncode != code:
            raise AssertionError(f"{arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout if code == 0 else done.stderr

    @classmethod
    def run_job(cls, name, text):
        (cls.path / f"{name}.yml").write_text(text)
        cls.lockstep("run", f"{name}.yml", "--name", name)

    def stored(self, run):
        """Every metric of the run: {key: [(step, milliseconds, value)]}, by step and time."""
        stored = {}
        for metric in json.loads(self.lockstep("metrics", run, "-o", "json")):
            points = json.loads(self.lockstep("metrics", run, metric["key"], "-o", "json"))
            stored[metric["key"]] = [(each["step"], each["time"], float(each["value"])) for each in points]
        return stored

    @staticmethod
    def read(folder):
        accumulator = event_accumulator.EventAccumulator(
            str(folder), size_guidance={"scalars": 0, "tensors": 0, "histograms": 0})
        accumulator.Reload()
        return accumulator

    def assert_scalars_equal(self, accumulator, stored):
        self.assertEqual(sorted(accumulator.Tags()["scalars"]), sorted(stored))
        for key, points in stored.items():
            got = [(each.step, time_text(each.wall_time), each.value) for each in accumulator.Scalars(key)]
            with numpy.errstate(over="ignore"):
                want = [(step, when, float(numpy.float32(value))) for step, when, value in points]
            self.assertEqual(str(got), str(want), key)  # as texts: NaN is NaN


def time_text(seconds):
    milliseconds = round(seconds * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000)) + f".{milliseconds % 1000:03}Z"


def text_of(accumulator, tag):
    (event,) = accumulator.Tensors(tag)
    return tensor_util.make_ndarray(event.tensor_proto).item().decode()


class Files(Sandbox):
    def test_what_training_wrote_is_what_the_store_has(self):
        own = self.read(self.path / "workspace/runs/trained/tensorboard")
        stored = {key: points for key, points in self.stored("trained").items()
                  if not key.startswith(("system/", "rank-1/"))}
        self.assertGreaterEqual(len(stored["train_loss"]), 6)
        self.assertIn("test_accuracy", stored)
        self.assert_scalars_equal(own, stored)

    def test_training_tells_its_options_and_its_weights(self):
        own = self.read(self.path / "workspace/runs/trained/tensorboard")
        self.assertIn("| layers | 32,16 |", text_of(own, "parameters"))
        self.assertEqual(own.SummaryMetadata("parameters").plugin_data.plugin_name, "text")
        sizes = {"dense1.weight": 784 * 32, "dense1.bias": 32, "dense2.weight": 32 * 16, "dense3.bias": 10}
        for tag, size in sizes.items():
            self.assertEqual(own.SummaryMetadata(tag).plugin_data.plugin_name, "histograms")
            events = own.Tensors(tag)
            self.assertEqual([each.step for each in events], [20, 40, 60])
            for each in events:
                buckets = tensor_util.make_ndarray(each.tensor_proto)
                self.assertEqual(buckets.shape, (30, 3))
                self.assertEqual(buckets[:, 2].sum(), size)
                self.assertTrue((buckets[1:, 0] == buckets[:-1, 1]).all())

    def test_an_export_has_every_value_of_the_store_once(self):
        for run in ("trained", "logged"):
            self.lockstep("tensorboard", run, "--export-only", f"events-{run}")
            stored = self.stored(run)
            self.assert_scalars_equal(self.read(self.path / f"events-{run}/{run}"), stored)
            said = self.lockstep("tensorboard", run, "--export-only", f"events-{run}")
            self.assertTrue(said.startswith("0 new values"), said)
            self.assert_scalars_equal(self.read(self.path / f"events-{run}/{run}"), stored)
        exported = self.read(self.path / "events-logged/logged")
        self.assertIn(r"| a | x\|y |", text_of(exported, "parameters"))
        self.assertIn("n" * 250, exported.Tags()["scalars"])

    def test_an_export_that_was_cut_is_mended(self):
        self.lockstep("tensorboard", "logged", "--export-only", "cut")
        (events,) = (self.path / "cut/logged").glob("*tfevents*")
        with events.open("ab") as file:
            file.write(b"half a record")
        self.lockstep("tensorboard", "logged", "--export-only", "cut")
        self.assert_scalars_equal(self.read(self.path / "cut/logged"), self.stored("logged"))
        (self.path / "cut/logged/exported.json").unlink()
        self.lockstep("tensorboard", "logged", "--export-only", "cut")
        self.assert_scalars_equal(self.read(self.path / "cut/logged"), self.stored("logged"))

    def test_summaries_are_those_of_the_values(self):
        shown = json.loads(self.lockstep("job", "show", "trained", "--metrics", "-o", "json"))
        stored = self.stored("trained")
        self.assertEqual([each["key"] for each in shown], sorted(stored))
        for each in shown:
            values = [value for _, _, value in stored[each["key"]]]
            self.assertEqual((each["min"], each["max"], each["points"]), (min(values), max(values), len(values)))
            self.assertEqual((each["step"], each["last"]), (stored[each["key"]][-1][0], values[-1]))
        self.assertIn("POINTS", self.lockstep("job", "show", "trained", "--metrics"))

    def test_mistakes_are_named(self):
        self.assertIn("did you mean 'trained'", self.lockstep("tensorboard", "trianed", code=3))
        self.assertIn("called like 'x*'", self.lockstep("tensorboard", "x*", code=3))
        self.assertIn("name a run", self.lockstep("tensorboard", code=2))

    def test_without_tensorboard_it_says_how_to_get_it_and_where_the_files_are(self):
        said = self.lockstep("tensorboard", "logged", code=1, path="/usr/bin:/bin")
        self.assertIn("pip install tensorboard", said)
        folder = self.path / "workspace/runs/logged/tensorboard"
        self.assertIn(str(folder), said)
        self.assert_scalars_equal(self.read(folder), self.stored("logged"))


class Served:
    """`lockstep tensorboard` with these arguments, from its URL to its end by SIGINT."""

    def __init__(self, test, *arguments):
        self.test, self.arguments = test, arguments

    def __enter__(self):
        command = [f"{sys.argv[1]}/bin/lockstep", "tensorboard", "--port", "0", *self.arguments]
        self.process = subprocess.Popen(command, env=self.test.environment, cwd=self.test.path, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line.startswith("TensorBoard is at "):
            self.process.kill()
            raise AssertionError(f"{line}{self.process.communicate()}")
        self.url = line.split()[-1]
        return self

    def get(self, path):
        with urllib.request.urlopen(self.url + "data/" + path, timeout=60) as reply:
            return json.load(reply)

    @staticmethod
    def wait_for(what):
        waiting.wait_for(what, "it has not come", deadline_s=120)

    def scalars(self, run, tag):
        """(step, value) of each point."""
        query = urllib.parse.urlencode({"run": run, "tag": tag})
        return [(step, value) for _, step, value in self.get(f"plugin/scalars/scalars?{query}")]

    def __exit__(self, *unused):
        self.process.send_signal(signal.SIGINT)
        self.said = self.process.communicate(timeout=60)
        self.test.assertEqual(self.process.returncode, 130, self.said)
        self.test.assertEqual(processes_that_name(str(self.test.path / "tmp")), [])
        sessions = f"ompi.{socket.gethostname().split('.')[0]}.{os.getuid()}"  # that runs of Open MPI keep for one another
        stay = {".tensorboard-info", sessions, f"{sessions}/kept-by-lockstep"}
        temporary = self.test.path / "tmp"
        self.test.assertLessEqual({str(each.relative_to(temporary)) for each in temporary.rglob("*")}, stay)


def processes_that_name(text):
    """The command lines in which this text stands."""
    found = []
    for file in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes()
        except OSError:
            continue
        if text.encode() in line:
            found.append(line)
    return found


class Program(Sandbox):
    def test_it_serves_scalars_text_and_histograms_and_leaves_nothing(self):
        with Served(self, "trained", "logged") as board:
            self.assertNotEqual(processes_that_name(str(self.path / "tmp")), [])
            board.wait_for(lambda: {"trained", "logged"} <= set(board.get("plugin/scalars/tags")))
            tags = board.get("plugin/scalars/tags")
            for run in ("trained", "logged"):
                stored = self.stored(run)
                board.wait_for(lambda: set(board.get("plugin/scalars/tags")[run]) == set(stored))
                for key in sorted(set(stored) - {"odd/\u00e9"}):  # JSON has no NaN
                    want = [(step, float(numpy.float32(value))) for step, _, value in stored[key]]
                    self.assertEqual(board.scalars(run, key), want, key)
            self.assertIn("dense1.weight", board.get("plugin/histograms/tags")["trained"])
            self.assertIn("parameters", board.get("plugin/text/tags")["trained"])
            self.assertIn("parameters", board.get("plugin/text/tags")["logged"])

    def test_an_experiment_is_all_its_runs(self):
        with Served(self, "--experiment-name", "boards") as board:
            board.wait_for(lambda: {"trained", "logged"} <= set(board.get("runs")))

    def test_what_a_live_run_logs_comes_in(self):
        job = f"""
display_name: live
command: >-
  {sys.executable} -B -W ignore -c "import mlflow, os, time; mlflow.start_run(); mlflow.log_metric('m', 1.5, step=0);
  [time.sleep(0.1) for _ in range(1200) if not os.path.exists('{self.path}/go')];
  mlflow.log_metric('m', 2.5, step=1); mlflow.end_run()"
"""
        (self.path / "live.yml").write_text(job)
        self.lockstep("job", "create", "-f", "live.yml", "--name", "live")
        with Served(self, "live") as board:
            board.wait_for(lambda: "m" in board.get("plugin/scalars/tags").get("live", {}))
            self.assertEqual(board.scalars("live", "m"), [(0, 1.5)])
            (self.path / "go").touch()
            board.wait_for(lambda: board.scalars("live", "m") == [(0, 1.5), (1, 2.5)])


if __name__ == "__main__":
    servers.run_tests()
