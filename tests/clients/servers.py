"""Servers for tests: `lockstep serve`, and MLflow's own to compare it with. Each has a folder of its own, which goes
when it does. To be imported before mlflow, which reads its settings from the environment."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import postgres

POSTGRES = os.environ.get("LOCKSTEP_TEST_POSTGRES")  # support/postgres.py; none: the store is a file
for name in list(os.environ):  # what a person or another test has set
    if name.startswith(("LOCKSTEP_", "MLFLOW_")) or name.lower().endswith("_proxy"):
        del os.environ[name]
os.environ |= {
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # what fails once shall be seen
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MPLBACKEND": "Agg",
}


def start_serving(command, environment=None):
    """`lockstep serve` and the address that it prints."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("MLFLOW_TRACKING_URI="):
            return process, line.split("=", 1)[1].strip()
    raise AssertionError(f"lockstep serve ended with {process.wait()} and said: {''.join(said)}")


def end_serving(process):
    """As a person ends it; it must end well."""
    process.send_signal(signal.SIGTERM)
    code = process.wait(timeout=60)
    process.stdout.close()
    if code != 0:
        raise AssertionError(f"lockstep serve ended with {code}")


class Lockstep:
    def __init__(self, build=None, options=()):
        """`build`: the build folder; a test is started with it. `options`: further ones of `lockstep serve`."""
        program = pathlib.Path(build or sys.argv[1]) / "bin/lockstep"
        self.folder = tempfile.TemporaryDirectory()
        self.workspace = pathlib.Path(self.folder.name) / "workspace"
        command = [str(program), "serve", "--port", "0", "--workspace", str(self.workspace), *options]
        if POSTGRES and "--store" not in options:
            command += ["--store", postgres.url_of(POSTGRES, postgres.new_database(POSTGRES))]
        self.process, self.url = start_serving(command)

    def stop(self):
        end_serving(self.process)
        self.folder.cleanup()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Mlflow:
    """MLflow's server, of the release that the tests' client is of."""

    def __init__(self, python=sys.executable, options=("--workers", "1")):
        self.start(lambda path, port: [
            str(python), "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), *options,
            "--backend-store-uri", f"sqlite:///{path}/history.db", "--artifacts-destination", f"{path}/artifacts"],
            {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"})

    def start(self, command, variables):
        """`command`: of a folder for its files and a port."""
        self.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(self.folder.name)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = (path / "log").open("w+")
        self.process = subprocess.Popen(command(path, port), env={**os.environ, **variables}, cwd=path, stdout=self.log,
                                        stderr=self.log, start_new_session=True)
        deadline = time.monotonic() + 240
        while not self.is_well():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.log.seek(0)
                raise AssertionError(f"{self.process.args[0]} does not answer:\n{self.log.read()}")
            time.sleep(0.1)

    def is_well(self):
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as reply:
                return reply.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def end(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.end()
        self.log.close()
        self.folder.cleanup()


class ClientTest(unittest.TestCase):
    """Tests that share a server; each uses names of its own."""

    @classmethod
    def setUpClass(cls):
        import mlflow

        cls.server = Lockstep()
        mlflow.set_tracking_uri(cls.server.url)
        mlflow.set_registry_uri(cls.server.url)
        cls.client = mlflow.MlflowClient()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def refused(self, error_code):
        """A context in which the client must raise this error."""
        return Refused(self, error_code)


class Refused:
    def __init__(self, test, error_code):
        self.test, self.error_code = test, error_code

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        from mlflow.exceptions import MlflowException

        self.test.assertIsInstance(error, MlflowException, "nothing was refused")
        self.test.assertEqual(error.error_code, self.error_code, error)
        self.message = error.message
        return True


def run_tests():
    unittest.main(argv=sys.argv[:1])
