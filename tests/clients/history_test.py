#!/usr/bin/env python3
"""What MLflow's client has written to files and to an SQLite database, brought in by `lockstep history import`: the
client must see the same history through `lockstep serve` as it sees in the source.

    history_test.py BUILD-FOLDER
"""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import servers

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # MLflow's own wish is that nobody begins with files any more

import mlflow
from mlflow import MlflowClient
from mlflow.entities import (Dataset, DatasetInput, InputTag, LoggedModelInput, LoggedModelOutput, LoggedModelStatus,
                             Metric, Param, RunTag, ViewType)

EVERYTHING = ViewType.ALL


def write_history(client, folder):
    """Something of everything that MLflow keeps."""
    ours = client.create_experiment("größe", artifact_location=f"{folder}/artifacts", tags={"team": "видение"})
    parent = client.create_run(ours, start_time=1_700_000_000_000, tags={"note": "two\nlines"}, run_name="otter 🦦")
    points = [Metric("loss", 1 / 3, 1_700_000_000_001, 0), Metric("loss", math.nan, 1_700_000_000_002, 1),
              Metric("loss", math.inf, 1_700_000_000_003, 2), Metric("a/b", -math.inf, 1_700_000_000_003, -2),
              Metric("last is nan", math.nan, 5, 5), Metric("tiny", 5e-324, 1, 1), Metric("third", 0.1 + 0.2, 1, 1)]
    params = [Param("lr", "0.1"), Param("lines", "x\ny"), Param("nested/name", "1")]
    client.log_batch(parent.info.run_id, points, params, [RunTag("t/u", "v"), RunTag("empty", "")])
    client.log_metric(parent.info.run_id, "loss", 5, timestamp=1_700_000_000_000, step=-1)  # out of order
    long = [Metric("long", i * 0.1, 1_700_000_000_000 + i, i) for i in range(12_345)]
    for begin in range(0, len(long), 1000):
        client.log_batch(parent.info.run_id, long[begin:begin + 1000])
    (folder / "weights.txt").write_text("0.5")
    client.log_artifact(parent.info.run_id, str(folder / "weights.txt"))
    client.set_terminated(parent.info.run_id, "FAILED", end_time=1_700_000_009_000)

    child = client.create_run(ours, tags={"mlflow.parentRunId": parent.info.run_id, "mlflow.user": "ada"}).info.run_id
    dataset = Dataset("images", "d1g", "local", '{"uri":"x"}', '{"s":1}', '{"rows":7}')
    client.log_inputs(child, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])
    model = client.create_logged_model(ours, name="net", source_run_id=child, tags={"x": "y"}, params={"p": "q"},
                                       model_type="pytorch")
    client.log_outputs(child, [LoggedModelOutput(model.model_id, 3)])
    client.log_inputs(child, [], [LoggedModelInput(model.model_id)])
    client.log_metric(child, "acc", 0.5, timestamp=1_700_000_000_100, model_id=model.model_id, dataset_name="images",
                      dataset_digest="d1g")
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    for status in ("FINISHED", "KILLED"):
        client.set_terminated(client.create_run(ours).info.run_id, status)
    client.create_run(ours, start_time=1_700_000_000_500)  # still running
    client.delete_run(client.create_run(ours).info.run_id)
    gone = client.create_experiment("gone")
    client.create_run(gone)
    client.delete_experiment(gone)

    client.create_registered_model("net", tags={"k": "v"}, description="words")
    client.create_model_version("net", f"{folder}/one", parent.info.run_id, tags={"q": "w"}, description="first")
    client.create_model_version("net", f"{folder}/two", parent.info.run_id)
    client.create_model_version("net", f"{folder}/three", parent.info.run_id)
    client.set_registered_model_alias("net", "champion", "2")
    client.transition_model_version_stage("net", "1", "Production")
    client.delete_model_version("net", "3")
    client.create_registered_model("empty")


def exact(value):
    """Floats by all of their digits: NaN is like NaN."""
    return repr(float(value))


def seen(client):
    """All that the client sees, by names that are the same in both places."""
    experiments = {each.name: each for each in client.search_experiments(view_type=EVERYTHING)}
    names = {each.experiment_id: each.name for each in experiments.values()}
    runs = client.search_runs(list(names), run_view_type=EVERYTHING, max_results=50_000)
    models = client.search_logged_models(list(names))
    return {
        "experiments": {name: (each.lifecycle_stage, each.artifact_location, each.tags)
                        for name, each in experiments.items() if name != "Default"},
        "created": {name: each.creation_time for name, each in experiments.items() if name != "Default"},
        "runs": {each.info.run_id: run_as_seen(client, each, names) for each in runs},
        "logged models": {each.model_id: (names[each.experiment_id], each.name, each.artifact_location,
                                          each.creation_timestamp, each.model_type, each.source_run_id,
                                          str(each.status), each.tags, each.params,
                                          [(m.key, exact(m.value), m.timestamp, m.run_id, m.dataset_name,
                                            m.dataset_digest) for m in each.metrics or []]) for each in models},
        "registry": {each.name: model_as_seen(client, each) for each in client.search_registered_models()},
    }


def run_as_seen(client, run, names):
    run = client.get_run(run.info.run_id)  # a search of a database gives no models that it read
    info, data = run.info, run.data
    inputs = [(vars(each.dataset), sorted((t.key, t.value) for t in each.tags)) for each in run.inputs.dataset_inputs]
    return {
        "info": (names[info.experiment_id], info.run_name, info.user_id, info.status, info.start_time, info.end_time,
                 info.lifecycle_stage, info.artifact_uri),
        "params": data.params,
        "tags": data.tags,
        "latest": {key: exact(value) for key, value in data.metrics.items()},
        "histories": {key: sorted((m.step, m.timestamp, exact(m.value))
                                  for m in client.get_metric_history(info.run_id, key)) for key in data.metrics},
        "datasets": inputs,
        "models": ([each.model_id for each in run.inputs.model_inputs or []],
                   [(each.model_id, each.step) for each in (run.outputs.model_outputs if run.outputs else [])]),
    }


def model_as_seen(client, model):
    versions = client.search_model_versions(f"name = '{model.name}'")
    return {
        "model": (model.description or "", model.tags, {alias: int(version) for alias, version in model.aliases.items()},
                  model.creation_timestamp),
        "versions": sorted((int(v.version), v.current_stage, v.description or "", v.source, v.run_id, v.tags,
                            v.creation_timestamp, v.user_id or "") for v in versions),
    }


class Imported:
    """The tests; each of the two classes below says where MLflow's history is."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(cls.folder.name)
        cls.source = cls.place(path)
        mlflow.set_tracking_uri(cls.source)
        mlflow.set_registry_uri(cls.source)
        cls.there = MlflowClient(cls.source, cls.source)
        write_history(cls.there, path)
        cls.server = servers.Lockstep()
        cls.first = json.loads(cls.lockstep("import", cls.source, "-o", "json"))
        cls.here = MlflowClient(cls.server.url, cls.server.url)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    @classmethod
    def lockstep(cls, *arguments, workspace=None):
        command = [f"{sys.argv[1]}/bin/lockstep", "history", *arguments]
        environment = {**os.environ, "LOCKSTEP_WORKSPACE": str(workspace or cls.server.workspace)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
        if done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def test_the_client_sees_what_it_sees_in_the_source(self):
        self.maxDiff = 5000
        there, here = seen(self.there), seen(self.here)
        self.assertEqual(len(there["runs"]), 7)
        self.assertEqual(there["runs"].keys(), here["runs"].keys())
        for run_id, run in there["runs"].items():
            for what, value in run.items():
                with self.subTest(run=run_id, what=what):
                    self.assertEqual(here["runs"][run_id][what], value)
        for what in ("experiments", "created", "logged models", "registry"):
            with self.subTest(what=what):
                self.assertEqual(here[what], there[what])

    def test_a_number_of_a_deleted_version_stays_taken(self):
        run = self.here.get_run(self.here.get_model_version("net", "1").run_id)
        version = self.here.create_model_version("net", run.info.artifact_uri, run.info.run_id).version
        self.here.delete_model_version("net", version)
        self.assertEqual(int(version), 4)

    def test_what_is_counted_is_what_came(self):
        self.assertEqual(self.first["runs_added"], 7)
        self.assertEqual(self.first["points_added"], 8 + 12_345 + 1)
        self.assertEqual((self.first["experiments_added"], self.first["models_added"]), (2, 3))
        self.assertEqual(self.first["left_out"], [])

    def test_a_second_import_changes_nothing(self):
        before = self.lockstep("export")
        again = json.loads(self.lockstep("import", self.source, "-o", "json"))
        self.assertEqual([again[each] for each in ("experiments_added", "runs_added", "models_added")], [0, 0, 0])
        self.assertEqual((again["runs_here"], again["models_here"]), (7, 3))
        self.assertEqual(before.splitlines()[1:], self.lockstep("export").splitlines()[1:])  # but for the time

    def test_artifacts_stay_where_they_are_and_are_found_from_this_machine(self):
        run = self.here.search_runs([self.here.get_experiment_by_name("größe").experiment_id], "run_name = 'otter 🦦'")[0]
        self.assertEqual([each.path for each in self.here.list_artifacts(run.info.run_id)], ["weights.txt"])

    def test_an_archive_of_it_is_the_same_history_elsewhere(self):
        path = pathlib.Path(self.folder.name)
        self.lockstep("export", "-o", str(path / "all.jsonl.gz"))
        self.lockstep("import", str(path / "all.jsonl.gz"), workspace=path / "elsewhere")
        lines = [self.lockstep("export", workspace=each).splitlines()[1:] for each in (None, path / "elsewhere")]
        for here, there in zip(*lines, strict=True):
            if '"name":"Default"' not in here:  # each workspace has made its own
                self.assertEqual(here, there)


class FromFiles(Imported, unittest.TestCase):
    @staticmethod
    def place(path):
        return f"file:{path}/mlruns"


class FromADatabase(Imported, unittest.TestCase):
    @staticmethod
    def place(path):
        return f"sqlite:///{path}/mlflow.db"


if __name__ == "__main__":
    servers.run_tests()
