#!/usr/bin/env python3
"""A job whose script is plain MLflow code, under `lockstep run`, with no server and no setting; and all of it seen
through a server's client afterwards.

    job_test.py BUILD-FOLDER
"""

import json
import os
import pathlib
import subprocess
import sys

import servers
import mlflow
import mlflow.pyfunc
import numpy

HERE = pathlib.Path(__file__).resolve().parent
JOB = f"""
command: {sys.executable} -B -W ignore train.py
code: {HERE}/quick_start
experiment_name: iris
"""


class Job(servers.ClientTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.environment = {**os.environ, "LOCKSTEP_WORKSPACE": str(cls.server.workspace),
                           "LOCKSTEP_RUNTIME_DIR": f"{cls.server.folder.name}/runtime"}
        file = pathlib.Path(cls.server.folder.name) / "job.yml"
        file.write_text(JOB)
        cls.said = cls.lockstep("run", str(file), "--name", "quick-start")
        cls.job = cls.client.get_run("quick-start")

    @classmethod
    def lockstep(cls, *arguments):
        command = [f"{sys.argv[1]}/bin/lockstep", *arguments]
        done = subprocess.run(command, env=cls.environment, capture_output=True, text=True, timeout=240)
        if done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def test_the_run_is_the_jobs_own_in_the_jobs_experiment(self):
        self.assertIn("predictions: [", self.said)
        self.assertEqual(self.job.info.status, "FINISHED")
        self.assertEqual(self.client.get_experiment(self.job.info.experiment_id).name, "iris")
        self.assertIsNone(self.client.get_experiment_by_name("MLflow Quickstart"))
        self.assertGreater(self.job.data.metrics["accuracy"], 0.9)
        self.assertEqual(self.job.data.params["max_iter"], "1000")
        self.assertEqual(self.job.data.tags["Training Info"], "Basic LR model for iris data")

    def test_its_artifacts_are_in_the_runs_outputs(self):
        paths = [each.path for each in self.client.list_artifacts("quick-start")]
        self.assertIn("coefficients.png", paths)
        self.assertTrue((self.server.workspace / "runs/quick-start/outputs/coefficients.png").exists())

    def test_nested_runs_and_later_ones_are_its_children(self):
        children = self.client.search_runs([self.job.info.experiment_id],
                                           "tags.`mlflow.parentRunId` = 'quick-start'")
        names = sorted(each.info.run_name for each in children)
        self.assertEqual(names, ["C=0.01", "C=0.1", "C=1.0", "afterwards"])
        self.assertEqual({each.info.status for each in children}, {"FINISHED"})
        (last,) = [each for each in children if each.info.run_name == "C=1.0"]
        self.assertEqual(len(self.client.get_metric_history(last.info.run_id, "accuracy")), 3)

    def test_its_model_is_registered_and_can_be_loaded(self):
        version = self.client.get_model_version("tracking-quickstart", "1")
        self.assertEqual(version.run_id, "quick-start")
        model = mlflow.pyfunc.load_model("models:/tracking-quickstart/1")
        self.assertEqual(len(model.predict(numpy.array([[5.1, 3.5, 1.4, 0.2]]))), 1)

    def test_lockstep_shows_it_like_any_other_run(self):
        shown = json.loads(self.lockstep("job", "show", "quick-start", "-o", "json"))
        self.assertEqual(shown["status"], "Completed")
        self.assertIn("accuracy", json.dumps(shown))
        listed = json.loads(self.lockstep("job", "list", "--parent-job-name", "quick-start", "-o", "json"))
        self.assertEqual(len(listed), 4)


if __name__ == "__main__":
    servers.run_tests()
