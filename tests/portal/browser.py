"""A headless Chromium, and the server and runs that it looks at. Nothing here sleeps: all waits are for a condition, with
a deadline."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "clients"))
import servers  # noqa: E402
import waiting  # noqa: E402

DEADLINE_S = 20


def wait_for(condition, what, deadline_s=DEADLINE_S):
    # drawn anew between two looks: not an answer yet
    return waiting.wait_for(condition, what, deadline_s, passing=StaleElementReferenceException)


class Server:
    """`lockstep serve` on a workspace of its own, which goes when it does."""

    def __init__(self, program, options=()):
        self.program = pathlib.Path(program).resolve()
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        self.environment = {**os.environ, "LOCKSTEP_WORKSPACE": str(self.path / "demo/.lockstep"),
                            "LOCKSTEP_RUNTIME_DIR": str(self.path / "runtime")}
        (self.path / "demo").mkdir()
        self.token = self.lockstep("token", "create").strip() if "--require-token" in options else None
        self.options = options
        self.start(0)

    def start(self, port):
        command = [str(self.program), "serve", "--port", str(port), *self.options]
        self.process, self.url = servers.start_serving(command, self.environment)

    def stop(self):
        self.end()
        self.folder.cleanup()

    def end(self):
        servers.end_serving(self.process)

    def restart(self):
        self.end()
        self.start(urllib.parse.urlsplit(self.url).port)

    def lockstep(self, *arguments):
        done = subprocess.run([str(self.program), *arguments], env=self.environment, cwd=self.path, capture_output=True,
                              text=True, timeout=120)
        if done.returncode != 0:
            raise AssertionError(f"{arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def job(self, name):
        return json.loads(self.lockstep("job", "show", name, "-o", "json"))

    def seen_job(self, name):
        """The same from the server, cheaper to ask again and again; {} while there is none."""
        try:
            return self.request("GET", f"/api/v1/jobs/{name}")
        except urllib.error.HTTPError as error:
            error.close()
            return {}

    def start_job(self, name, script, experiment="live"):
        """`lockstep run` of a script in the background; its process."""
        folder = self.path / name
        folder.mkdir()
        (folder / "train.py").write_text(script)
        (folder / "job.yml").write_text(f"command: {sys.executable} -u train.py\ncode: .\nexperiment_name: {experiment}\n")
        return subprocess.Popen([str(self.program), "run", str(folder / "job.yml"), "--name", name], env=self.environment,
                                cwd=self.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def request(self, method, path, body=None):
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def put_bytes(self, path, data):
        urllib.request.urlopen(urllib.request.Request(f"{self.url}{path}", data, method="PUT"), timeout=30).close()

    def post(self, place, body):
        return self.request("POST", f"/api/2.0/mlflow/{place}", body)

    def get(self, place, **values):
        return self.request("GET", f"/api/2.0/mlflow/{place}?{urllib.parse.urlencode(values)}")

    def experiment(self, name):
        return self.post("experiments/create", {"name": name})["experiment_id"]

    def run(self, experiment_id, name, params=None, metrics=None, tags=None, start_time=1_764_000_000_000,
            status="FINISHED", duration_ms=60_000):
        """A run that has ended, as an MLflow client reports it. `metrics`: key to the list of its values."""
        run_id = self.post("runs/create", {"experiment_id": experiment_id, "run_name": name,
                                           "start_time": start_time})["run"]["info"]["run_id"]
        pairs = lambda values: [{"key": key, "value": value} for key, value in (values or {}).items()]
        points = [{"key": key, "value": value, "step": step, "timestamp": start_time + 1000 * step}
                  for key, values in (metrics or {}).items() for step, value in enumerate(values)]
        self.post("runs/log-batch", {"run_id": run_id, "params": pairs(params), "tags": pairs(tags), "metrics": points})
        self.post("runs/update", {"run_id": run_id, "status": status, "end_time": start_time + duration_ms})
        return run_id


class Browser:
    def __init__(self, width=1100, height=800):
        options = webdriver.ChromeOptions()
        for option in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-extensions",
                       f"--window-size={width},{height}"):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))

    def stop(self):
        self.driver.quit()

    def open(self, url):
        """A page as it is on a first visit of this tab: no state of an earlier one is mounted."""
        self.driver.get("about:blank")
        self.driver.get(url)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector, text=None):
        """The first element of `selector` that is shown and has `text`, as soon as there is one."""
        def find():
            shown = (each for each in self.all(selector) if each.is_displayed())
            return next((each for each in shown if text is None or text in each.text), None)
        return wait_for(find, lambda: f"{selector} with {text!r}; the page says:\n{self.text()[:3000]}")

    def text(self):
        return self.driver.execute_script("return document.body ? document.body.innerText : ''")

    def sees(self, text, selector="body"):
        wait_for(lambda: any(text in each.text for each in self.all(selector)),
                 lambda: f"{text!r} in {selector}; the page says:\n{self.text()[:3000]}")

    def texts(self, selector):
        try:
            return [each.text for each in self.all(selector)]
        except StaleElementReferenceException:
            return []

    def click(self, selector, text=None):
        self.one(selector, text).click()

    def press(self, *keys):
        """Whatever has the focus then."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def type(self, selector, text, enter=False):
        field = self.one(selector)
        field.clear()
        field.send_keys(text + ("\n" if enter else ""))

    def errors(self, expected=()):
        """What the console has complained of since the last look, without lines that have a text of `expected`."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING") and not any(text in entry["message"] for text in expected)]

    def resize(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def usual_size(self):
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
