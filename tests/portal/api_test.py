#!/usr/bin/env python3
"""Every reply of /api/v1 against the document that the server gives of itself, over a real job and one that an MLflow
client reports.

    api_test.py BUILD-FOLDER
"""

import json
import os
import pathlib
import subprocess
import sys
import unittest
import urllib.error
import urllib.request

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "clients"))
import servers

JOBS = "/api/v1/jobs"
JOB = """
command: >-
  for i in 1 2 3; do echo step $i; done; mkdir -p outputs/sub; echo text > outputs/sub/a.txt; exit 3
experiment_name: api
"""


def fetch(server, path, body=None):
    """Status, content type, body."""
    request = urllib.request.Request(server.url + path)
    if body is not None:
        request = urllib.request.Request(server.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, reply.headers["Content-Type"], reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read()


class Api(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = servers.Lockstep()
        cls.addClassCleanup(cls.server.stop)
        environment = {**os.environ, "LOCKSTEP_WORKSPACE": str(cls.server.workspace),
                       "LOCKSTEP_RUNTIME_DIR": f"{cls.server.folder.name}/runtime"}
        job = pathlib.Path(cls.server.folder.name) / "job.yml"
        job.write_text(JOB)
        done = subprocess.run([f"{sys.argv[1]}/bin/lockstep", "run", str(job), "--name", "shell"], env=environment,
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 1, done.stdout + done.stderr
        mlflow = "/api/2.0/mlflow/"
        _, _, made = fetch(cls.server, mlflow + "runs/create", {"experiment_id": "0", "run_name": "client"})
        cls.reported = json.loads(made)["run"]["info"]["run_id"]
        metrics = [{"key": key, "value": value, "timestamp": 1000 + step, "step": step}
                   for step in range(300) for key, value in (("loss", 1 / (1 + step)), ("odd", "NaN"))]
        fetch(cls.server, mlflow + "runs/log-batch", {"run_id": cls.reported, "metrics": metrics})
        _, _, text = fetch(cls.server, "/api/v1/openapi.json")
        cls.document = json.loads(text)

    def check(self, pattern, query="", body=None, **captured):
        """The reply to a path of the document, after a look whether it is as described."""
        verb = "get" if body is None else "post"
        status, kind, text = fetch(self.server, pattern.format(**captured) + query, body)
        self.assertEqual(status, 200, text)
        (described, content), = self.document["paths"][pattern][verb]["responses"]["200"]["content"].items()
        self.assertEqual(kind.split(";")[0], described, pattern)
        if "$ref" not in content["schema"]:
            return text
        reply = json.loads(text)
        self.validate(reply, content["schema"]["$ref"].rpartition("/")[2])
        return reply

    def validate(self, value, name):
        schema = {"$ref": f"#/components/schemas/{name}", "components": self.document["components"]}
        jsonschema.validate(value, schema, cls=jsonschema.Draft202012Validator)

    def test_the_document_is_valid(self):
        for name in self.document["components"]["schemas"]:
            jsonschema.Draft202012Validator.check_schema(self.document["components"]["schemas"][name])

    def test_the_workspace_its_experiments_and_its_compute(self):
        self.assertEqual(self.check("/api/v1/workspace")["active_jobs"], 1)
        names = {each["name"]: each for each in self.check("/api/v1/experiments")["experiments"]}
        self.assertEqual(names["api"]["runs"], 1)
        self.assertEqual(self.check("/api/v1/compute")["compute"][0]["nodes"][0]["jobs"], [])

    def test_jobs_of_both_kinds(self):
        jobs = {each["name"]: each for each in self.check(JOBS)["jobs"]}
        self.assertEqual((jobs["shell"]["supervised"], jobs[self.reported]["supervised"]), (True, False))
        shell = self.check(JOBS + "/{name}", name="shell")
        self.assertEqual((shell["status"], shell["exit_code"], shell["ranks"]), ("Failed", 3, 1))
        self.assertIn("step 3", "\n".join(shell["failure_details"]["last_lines"]))
        client = self.check(JOBS + "/{name}", name=self.reported)
        self.assertEqual((client["status"], client["metrics"]["odd"]), ("Running", "NaN"))
        self.assertEqual(self.check(JOBS + "/{name}/children", name="shell")["jobs"], [])
        self.assertIn(b"step $i", self.check(JOBS + "/{name}/job-file", name="shell"))

    def test_logs_and_artifacts(self):
        logs = {each["name"]: each["bytes"] for each in self.check(JOBS + "/{name}/logs", name="shell")["logs"]}
        part = self.check(JOBS + "/{name}/logs/{log}", "?offset=7", name="shell", log="rank-0.log")
        self.assertEqual((part["text"], part["bytes"]), ("step 2\nstep 3\n", logs["rank-0.log"]))
        found = self.check(JOBS + "/{name}/log-search", "?log=rank-0.log&text=STEP%202", name="shell")
        self.assertEqual(found["matches"], [{"line": 2, "offset": 7, "text": "step 2"}])
        files = self.check(JOBS + "/{name}/artifacts", "?path=sub", name="shell")["files"]
        self.assertEqual(files, [{"path": "sub/a.txt", "is_dir": False, "file_size": 5}])
        self.assertEqual(fetch(self.server, "/api/v1/jobs/shell/artifacts/sub/a.txt")[2], b"text\n")

    def test_metrics_and_curves(self):
        page = self.check(JOBS + "/{name}/metrics", "?max_results=1", name=self.reported)
        self.assertEqual((page["metrics"][0]["key"], page["total"]), ("loss", 2))
        curves = self.check(JOBS + "/{name}/curves", "?key=loss&key=odd&max_points=40", name=self.reported)["curves"]
        self.assertEqual([each["sampled"] for each in curves], [True, True])
        self.assertEqual(curves[0]["points"][0], [0, 1000, 1.0])

    def test_events_of_a_job_that_has_ended(self):
        text = self.check(JOBS + "/{name}/events", name="shell").decode()
        events = [dict(line.split(": ", 1) for line in event.split("\n")) for event in text.strip().split("\n\n")]
        self.assertEqual([each["event"] for each in events], ["job", "logs", "metrics", "end"])
        self.validate(json.loads(events[0]["data"]), "Job")

    def test_cancel(self):
        _, _, made = fetch(self.server, "/api/2.0/mlflow/runs/create", {"experiment_id": "0"})
        name = json.loads(made)["run"]["info"]["run_id"]
        reply = self.check(JOBS + "/{name}/cancel", body={"reason": "enough"}, name=name)
        self.assertEqual(reply, {"asked": True, "status": "Canceled"})

    def test_errors_have_their_shape(self):
        for path, status in (("/api/v1/jobs/none", 404), ("/api/v1/jobs?foo=1", 400), ("/api/v1/none", 404),
                             ("/api/v1/jobs/shell/logs/..%2f..%2fjob.yml", 400), ("/api/v1/jobs/shell/curves", 400)):
            got, kind, text = fetch(self.server, path)
            self.assertEqual((got, kind), (status, "application/json"), path)
            self.validate(json.loads(text), "Error")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
