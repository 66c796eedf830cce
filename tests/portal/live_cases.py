"""A job of `lockstep run`, while it runs and afterwards."""

import re

from browser import wait_for
from page_case import PageCase

# Prints a line and logs a metric for each step, until a file appears that ends it (or after a minute).
TRAIN = """
import json, os, pathlib, sys, time, urllib.request
def post(place, body):
    address = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/" + place
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]}
    urllib.request.urlopen(urllib.request.Request(address, json.dumps(body).encode(), headers)).read()
run_id = os.environ["MLFLOW_RUN_ID"]
model = pathlib.Path("outputs/model")
model.mkdir(parents=True)
(model / "MLmodel").write_text("flavors: {}\\n")
pathlib.Path("outputs/table.csv").write_text('name,value\\n"one, two",3\\n')
pathlib.Path("outputs/facts.json").write_text('{"layers":[1,2]}')
post("runs/log-batch", {"run_id": run_id, "params": [{"key": "lr", "value": "0.1"}]})
end = time.monotonic() + 60
step = 0
while time.monotonic() < end and not pathlib.Path(ENOUGH).exists():
    post("runs/log-metric", {"run_id": run_id, "key": "loss", "value": 1 / (step + 1), "step": step,
                             "timestamp": int(time.time() * 1000)})
    print("step", step, "of the training", flush=True)
    step += 1
    time.sleep(0.1)
print("the last line")
"""


class Live(PageCase):
    """A job of `lockstep run`, while it runs and afterwards."""

    @classmethod
    def fill(cls):
        cls.enough = cls.server.path / "enough"
        cls.process = cls.server.start_job("live", TRAIN.replace("ENOUGH", repr(str(cls.enough))))
        cls.addClassCleanup(cls.end_job)
        wait_for(lambda: "loss" in cls.server.seen_job("live").get("metrics", {}), "the job runs", 60)

    @classmethod
    def end_job(cls):
        cls.enough.touch()
        cls.process.wait(timeout=60)

    def points(self):
        return int(self.window.one(".chart").get_attribute("data-points"))

    def test_1_a_curve_grows_and_a_log_is_followed(self):
        self.open("run/live")
        self.window.one(".badge", "Running")
        self.window.one(".live")
        self.window.one(".chart canvas")
        first = self.points()
        wait_for(lambda: self.points() > first + 3, "more points, without a click")
        self.window.click("button.tab", "Logs")
        self.window.one("pre.log", "of the training")
        last = self.last_step()
        wait_for(lambda: self.last_step() > last + 3, "later lines, without a click")
        self.window.type("input[placeholder='Search this log…']", "STEP 2 OF", enter=True)
        self.window.click(".found button", "step 2 of the training")
        self.window.one("pre.log mark", "step 2 of the training")
        self.window.click("label", "follow")
        wait_for(lambda: self.last_step() > last + 6, "the end again")

    def last_step(self):
        return int(re.findall(r"step (\d+) of", self.window.one("pre.log").get_attribute("textContent"))[-1])

    def test_2_a_page_outlives_its_server(self):
        self.open("run/live")
        self.window.one(".live")
        self.server.restart()
        first = self.points()
        wait_for(lambda: self.points() > first + 3, "more points, from the new server")
        self.window.one(".live")
        self.expected = ["ERR_"]  # what was asked in between

    def test_3_the_page_tells_of_the_end(self):
        self.open("run/live")
        self.window.one(".badge", "Running")
        self.enough.touch()
        self.window.one(".head .badge", "Completed")
        self.window.sees("the program exited with 0", ".head")
        wait_for(lambda: not self.window.all("#cancel:not([hidden])"), "nothing to cancel")
        self.window.sees("Completed", ".history")
        self.window.click("button.tab", "Logs")
        self.window.sees("the last line", "pre.log")

    def test_4_artifacts_are_shown_and_registered(self):
        self.open("run/live?tab=artifacts")
        self.window.click("button.leaf", "table.csv")
        self.window.sees("one, two", ".preview td")
        self.window.click("button.leaf", "facts.json")
        self.window.sees('"layers": [', ".preview pre")
        self.window.click("summary", "model/")
        self.window.click("button", "Register this model")
        self.window.type("dialog input[name=name]", "mine", enter=True)
        self.window.one("h1", "mine")
        self.window.one("h3", "Version 1")
        version = self.server.get("model-versions/get", name="mine", version="1")["model_version"]
        self.assertEqual(version["run_id"], "live")
        self.assertTrue(version["source"].endswith("/model"), version)
        self.window.click("button", "Add an alias")
        self.window.type("dialog input[name=alias]", "best", enter=True)
        self.window.one(".chip", "@best")
        alias = self.server.get("registered-models/alias", name="mine", alias="best")
        self.assertEqual(alias["model_version"]["version"], "1")
        self.expected = []

    def test_5_the_job_file_and_commands(self):
        self.open("run/live?tab=job")
        self.window.sees("experiment_name: live", "pre.text")
        self.window.click(".commands summary")
        self.window.sees("lockstep job stream live", ".commands")

    def test_6_canceling_cancels(self):
        process = self.server.start_job("endless", TRAIN.replace("ENOUGH", "'/nonexistent'"))
        wait_for(lambda: self.server.seen_job("endless").get("status") == "Running", "the job runs", 60)
        self.open("run/endless")
        self.window.click("#cancel")
        self.window.click("dialog button", "Leave")
        self.assertEqual(self.server.job("endless")["status"], "Running")
        self.window.click("#cancel")
        self.window.click("dialog button", "Cancel the run")
        self.window.one(".head .badge", "Canceled")
        self.assertEqual(self.server.job("endless")["status"], "Canceled")
        self.assertEqual(process.wait(timeout=60), 1)

    def test_7_a_failed_run_says_why(self):
        hostile = "<img src=x onerror=window.wasRun=1>"
        process = self.server.start_job("fails", f"print('before the end {hostile}')\nraise SystemExit(3)\n")
        self.assertEqual(process.wait(timeout=60), 1)
        self.open("run/fails")
        self.window.one(".head .badge", "Failed")
        self.window.sees(f"before the end {hostile}", ".failed pre")
        self.assertIsNone(self.window.driver.execute_script("return window.wasRun ?? null"))

    def test_8_the_machine_is_shown(self):
        self.open("compute")
        self.window.one("h2", "local")
        self.window.one("td", "idle")
