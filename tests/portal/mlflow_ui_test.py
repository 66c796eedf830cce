#!/usr/bin/env python3
"""MLflow's own web pages over `lockstep serve --mlflow-ui`, in a real browser.

    mlflow_ui_test.py BUILD-FOLDER
"""

import base64
import os
import pathlib
import sys
import unittest
import urllib.error
import urllib.request

import browser
import page_case
from browser import wait_for

CLIENTS = pathlib.Path(__file__).resolve().parents[2] / ".clients"
# What these pages ask of MLflow's product beside tracking; they go on without it (docs/mlflow.md).
NOT_SERVED = ("/assistant/", "/users/current", "/ui-telemetry", "/gateway-proxy", "/traces", "/3.0/mlflow/")


class MlflowUi(page_case.PageCase):
    options = ("--mlflow-ui",)

    @classmethod
    def fill(cls):
        cls.experiment = cls.server.experiment("demo")
        cls.run_id = cls.server.run(cls.experiment, "first", {"lr": "0.125"}, {"loss": [1, 0.5, 0.25]}, {"team": "blue"})
        cls.server.run(cls.experiment, "second", {"lr": "0.5"}, {"loss": [2, 1.5]})
        cls.server.put_bytes(f"/api/2.0/mlflow-artifacts/artifacts/{cls.experiment}/{cls.run_id}/artifacts/notes.txt",
                             b"written by the run")

    def tearDown(self):
        """What their scripts say of themselves is theirs; that they are refused something is ours."""
        refused = [each for each in self.window.errors(NOT_SERVED) if "Failed to load resource" in each]
        self.assertEqual(refused, [])

    def show(self, place, *texts):
        self.window.open(f"{self.server.url}/mlflow/#/{place}")
        body = lambda: self.window.driver.find_element("tag name", "body").text
        for text in texts:
            wait_for(lambda: text in body(), lambda: f"{text!r} in: {body()}", 60)

    def test_lists_experiments_and_their_runs(self):
        self.show("experiments", "demo")
        self.show(f"experiments/{self.experiment}/runs", "first", "second", "matching runs")

    def test_shows_a_run_with_its_curves_and_artifacts(self):
        place = f"experiments/{self.experiment}/runs/{self.run_id}"
        self.show(place, "first", "loss", "0.25", "lr", "0.125", "blue", "Finished", "1.0min")
        self.show(f"{place}/model-metrics", "loss")
        wait_for(lambda: self.window.driver.find_elements("css selector", ".scatterlayer .trace path.js-line"),
                 "no curve is drawn", 60)
        self.show(f"{place}/artifacts/notes.txt", "written by the run")

    def test_compares_runs(self):
        other = self.server.run(self.experiment, "third", {"lr": "0.75"}, {"loss": [3]})
        ids = f'["{self.run_id}","{other}"]'
        self.show(f'compare-runs?runs={ids}&experiments=["{self.experiment}"]', "Comparing 2 Runs from 1 Experiment", "0.75")


class WithTokens(unittest.TestCase):
    def test_the_browser_asks_for_one_and_sends_it_as_the_password(self):
        server = browser.Server(page_case.PROGRAM, ("--mlflow-ui", "--require-token"))
        self.addCleanup(server.stop)

        def status(path, authorization=None):
            request = urllib.request.Request(server.url + path, headers={"Authorization": authorization} if authorization else {})
            try:
                with urllib.request.urlopen(request, timeout=30) as reply:
                    return reply.status, ""
            except urllib.error.HTTPError as error:
                error.close()
                return error.code, error.headers["WWW-Authenticate"]

        password = "Basic " + base64.b64encode(f"anybody:{server.token}".encode()).decode()
        code, asked = status("/mlflow/")
        self.assertEqual((code, asked.split()[0]), (401, "Basic"))
        self.assertEqual(status("/mlflow/", password)[0], 200)
        search = "/mlflow/ajax-api/2.0/mlflow/experiments/search?max_results=5"
        self.assertEqual(status(search)[0], 401)
        self.assertEqual(status(search, password)[0], 200)
        self.assertEqual(status("/api/2.0/mlflow/experiments/search?max_results=5")[1], "Bearer")
        self.assertEqual(status("/mlflow/static-files/../../../handlers.py", password)[0], 404)


if __name__ == "__main__":
    if not (CLIENTS / "requirements.txt").exists():
        print("skipped: MLflow's client is not there (./x setup test)")
        sys.exit(77)
    os.environ["PATH"] = f"{CLIENTS}/bin:{os.environ['PATH']}"  # whose python3 has the pages
    page_case.start()
    try:
        done = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2)
    finally:
        page_case.stop()
    sys.exit(not done.result.wasSuccessful())
