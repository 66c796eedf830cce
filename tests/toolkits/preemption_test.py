#!/usr/bin/env python3
"""lockstep-train on two ranks in what is a container of AmlCompute to it: no run of lockstep's, the entrypoint as its
parent, and a machine that will be taken away. The metadata service is a stand-in: Azure's own answers inside of Azure only.

    preemption_test.py BUILD-FOLDER
"""

import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import waiting  # noqa: E402

BUILD = pathlib.Path(sys.argv[1]).resolve()
DATA = "/usr/share/datasets/fashion-mnist"


class Metadata(http.server.BaseHTTPRequestHandler):
    event = None  # set when the machine will be preempted
    asked_at = None

    def do_GET(self):
        if self.headers.get("Metadata") != "true":
            self.send_error(400)
            return
        body = "pool_1" if "/compute/name" in self.path else json.dumps({"DocumentIncarnation": 1, "Events": []})
        if Metadata.event and "scheduledevents" in self.path:
            body = json.dumps({"DocumentIncarnation": 2, "Events": [Metadata.event]})
            Metadata.asked_at = Metadata.asked_at or time.monotonic()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def wait_for(condition, what, training):
    def answer():
        if training.poll() is not None:
            raise AssertionError(f"it ended with {training.returncode} before {what}:\n{training.stdout.read()}")
        return condition()

    waiting.wait_for(answer, what, deadline_s=100)


class Preemption(unittest.TestCase):
    def test_a_notice_makes_the_trainer_save(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        with tempfile.TemporaryDirectory() as folder:
            sink, checkpoints = pathlib.Path(folder) / "sink", pathlib.Path(folder) / "checkpoints"
            environment = {name: value for name, value in os.environ.items()
                           if not name.startswith(("LOCKSTEP_", "MLFLOW_", "OMPI_"))}
            environment |= {"AZUREML_RUN_ID": "icy_clam", "TMPDIR": folder, "OMPI_ALLOW_RUN_AS_ROOT": "1",
                            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMP_NUM_THREADS": "1",
                            "MLFLOW_TRACKING_URI": "azureml://westeurope.api.azureml.ms/mlflow/v1.0",
                            "LOCKSTEP_METADATA_SERVICE": f"127.0.0.1:{server.server_address[1]}"}
            training = subprocess.Popen(
                ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", "2", BUILD / "bin/lockstep-entrypoint",
                 "--sink", sink, "--", BUILD / "bin/lockstep-train", "--model", "mlp", "--data", DATA, "--epochs", "1000",
                 "--checkpoint-dir", checkpoints], cwd=folder, env=environment, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True)
            self.addCleanup(training.kill)
            wait_for(lambda: all((sink / f"rank-{k}.stoppable.json").exists() for k in (0, 1)), "the ranks can save", training)
            self.assertFalse(list(checkpoints.glob("step-*/manifest.json")))
            begun = time.monotonic()
            Metadata.event = {"EventId": "A", "EventType": "Preempt", "Resources": ["pool_1"], "NotBefore": ""}
            wait_for(lambda: list(checkpoints.glob("step-*/manifest.json")), "a checkpoint is whole", training)
            print(f"saved {time.monotonic() - begun:.1f} s after the notice (5 wanted)")
            self.assertIsNone(training.poll(), "it goes on until the machine is gone")
            for rank in (0, 1):  # as Azure would
                os.kill(json.loads((sink / f"rank-{rank}.stoppable.json").read_text())["pid"], 15)
            said, _ = training.communicate(timeout=100)
            self.assertEqual(training.returncode, 75, said)
            for rank in (0, 1):
                journal = (sink / f"rank-{rank}/rank-{rank}.jsonl").read_text()
                self.assertIn("Azure will Preempt this machine: the program was asked to save", journal)
                self.assertIn(f'"lockstep.rank_{rank}.exit_code":"75"', journal)


if __name__ == "__main__":
    if not os.path.isdir(DATA):
        print(f"skipped: no {DATA}")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
