#!/usr/bin/env python3
"""What `lockstep entrypoint --sink` brings to an MLflow run, with no run of lockstep's around it: as in a container whose
entrypoint it is.

    entrypoint_test.py BUILD-FOLDER
"""

import os
import subprocess
import sys
import tempfile

import servers
import mlflow


class Entrypoint(servers.ClientTest):
    def attended(self, program, script, **environment):
        with tempfile.TemporaryDirectory() as folder:
            command = [f"{sys.argv[1]}/bin/{program[0]}", *program[1:], "--sink", f"{folder}/sink", "--", "bash", "-c", script]
            given = {**os.environ, "MLFLOW_TRACKING_URI": self.server.url, **environment}
            done = subprocess.run(command, env=given, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
            journal = open(f"{folder}/sink/rank-0/rank-0.jsonl", encoding="utf-8").read()
        return done, journal

    def test_the_end_and_the_last_lines_of_a_rank_are_tags_of_the_run(self):
        run = self.client.create_run("0")
        done, _ = self.attended(["lockstep", "entrypoint"], "echo hello; exit 3", MLFLOW_RUN_ID=run.info.run_id)
        self.assertEqual((done.returncode, done.stdout), (3, "hello\n"), done.stderr)
        run = self.client.get_run(run.info.run_id)
        self.assertEqual(run.data.tags["lockstep.rank_0.exit_code"], "3")
        self.assertEqual(run.data.tags["lockstep.rank_0.last_lines"], "hello\n")
        self.assertEqual(run.info.status, "RUNNING", "the run is its owner's")

    def test_system_metrics_are_metrics_of_the_run(self):
        run = self.client.create_run("0")
        self.attended(["lockstep", "entrypoint"], "sleep 2", MLFLOW_RUN_ID=run.info.run_id,
                      MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL="0.2")
        run = self.client.get_run(run.info.run_id)
        self.assertIn("system/cpu_utilization_percentage", run.data.metrics)

    def test_under_azure_it_journals_and_leaves_the_reporting_to_mlflows_client(self):
        done, journal = self.attended(["lockstep", "entrypoint"], "exit 0", MLFLOW_RUN_ID="x",
                                      MLFLOW_TRACKING_URI="azureml://westeurope.api.azureml.ms/mlflow/v1.0/subscriptions/s")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn('"lockstep.rank_0.exit_code":"0"', journal)

    def test_the_static_program_journals_and_says_why_it_does_not_report(self):
        run = self.client.create_run("0")
        done, journal = self.attended(["lockstep-entrypoint"], "exit 4", MLFLOW_RUN_ID=run.info.run_id)
        self.assertEqual(done.returncode, 4)
        self.assertIn('"lockstep.rank_0.exit_code":"4"', journal)
        self.assertIn("is linked statically", done.stderr)


if __name__ == "__main__":
    servers.run_tests()
