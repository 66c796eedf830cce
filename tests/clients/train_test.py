#!/usr/bin/env python3
"""What `lockstep-train`, started by mpirun alone, reports to MLflow's own server: MLflow's client sees what the journals
hold.

    train_test.py BUILD-FOLDER
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import servers
import mlflow

DATA = "/usr/share/datasets/fashion-mnist"


class Training(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = servers.Mlflow()
        cls.client = mlflow.MlflowClient(cls.server.url)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def train(self, *options, code=0, **variables):
        command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", "2", f"{sys.argv[1]}/bin/lockstep-train",
                   "--model", "mlp", "--layers", "32", "--data", DATA, "--log-every", "1", "--device", "cpu", *options]
        environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                       "MLFLOW_TRACKING_URI": self.server.url, **variables}
        done = subprocess.run(command, env=environment, cwd=self.path, capture_output=True, text=True, timeout=240)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def in_journals(self):
        metrics, params = {}, {}
        for rank in range(2):
            with (self.path / f"lockstep-train-metrics/rank-{rank}.jsonl").open() as journal:
                for entry in map(json.loads, journal):
                    for key, value in entry.get("metrics", {}).items():
                        metrics.setdefault(key, []).append((entry["step"], entry["t"], float(value)))
                    for key, value in entry.get("params", {}).items():
                        params.setdefault(key, value)
        return {key: sorted(points) for key, points in metrics.items()}, params

    def only_run(self, experiment):
        found = self.client.search_runs([self.client.get_experiment_by_name(experiment).experiment_id])
        self.assertEqual(len(found), 1)
        return found[0]

    def assert_reported(self, run):
        metrics, params = self.in_journals()
        seen = {key: sorted((each.step, each.timestamp, each.value)
                            for each in self.client.get_metric_history(run.info.run_id, key))
                for key in run.data.metrics}
        self.assertEqual(seen, metrics)
        self.assertEqual(run.data.params, params)

    def test_the_client_sees_what_the_journals_hold(self):
        said = self.train("--max-steps", "700", MLFLOW_EXPERIMENT_NAME="trained", MLFLOW_RUN_NAME="mine")
        run = self.only_run("trained")
        self.assert_reported(run)
        self.assertEqual((run.info.status, run.info.run_name), ("FINISHED", "mine"))
        self.assertEqual(run.data.tags["mlflow.source.type"], "JOB")
        self.assertIn(f"{self.server.url}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}", said)

    def test_it_goes_on_with_the_run_that_it_is_given(self):
        experiment = self.client.create_experiment("given")
        given = self.client.create_run(experiment).info.run_id
        self.client.log_param(given, "lr", "what it was")
        self.train("--max-steps", "20", MLFLOW_RUN_ID=given)
        run = self.client.get_run(given)
        self.assertEqual(run.data.params["lr"], "what it was")
        self.assertEqual(run.info.status, "FINISHED")
        self.assertEqual(len(self.client.get_metric_history(given, "train_loss")), 20)
        self.only_run("given")

    def test_journals_that_were_not_reported_can_be_later(self):
        self.train("--max-steps", "20", "--report", "none")
        environment = {**os.environ, "MLFLOW_TRACKING_URI": self.server.url, "MLFLOW_EXPERIMENT_NAME": "later"}
        for _ in range(2):
            subprocess.run([f"{sys.argv[1]}/bin/lockstep-train", "--report", "only"], env=environment, cwd=self.path,
                           check=True, timeout=60)
            run = self.only_run("later")
            self.assert_reported(run)
            self.assertEqual(run.info.status, "FINISHED")

    def test_a_run_that_is_not_there_is_said_and_costs_nothing(self):
        said = self.train("--max-steps", "20", MLFLOW_RUN_ID="0" * 32)
        self.assertIn("nothing more is reported", said)
        self.assertIn("trained 20 steps", said)


if __name__ == "__main__":
    servers.run_tests()
