"""Servers that take what MLflow's clients log, other than MLflow's own, each in an environment of its own in build/bench.

Both come from PyPI, in their newest release there. A class raises Missing, with the reason, where its server can't be
had."""

import os
import pathlib
import subprocess
import sys

top = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(top / "tests/clients"))
from servers import Mlflow  # noqa: E402


class Missing(Exception):
    pass


def environment_of(name, *packages):
    """A virtual environment with these packages, made once."""
    folder = top / "build/bench" / f"venv-{name}"
    done = folder / "packages"
    if done.exists() and done.read_text() == " ".join(packages):
        return folder
    print(f"installing {name} into {folder} ...", file=sys.stderr, flush=True)
    for command in ([sys.executable, "-m", "venv", "--clear", str(folder)],
                    [str(folder / "bin/pip"), "install", "-q", "--disable-pip-version-check", *packages]):
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise Missing((made.stderr.strip().splitlines() or [f"{command[0]} failed"])[-1])
    done.write_text(" ".join(packages))
    return folder


class Fasttrackml(Mlflow):
    """fasttrackml: one program, written in Go. On its default store, SQLite. With the option
    `?_synchronous=FULL` its commits survive a power loss, as MLflow's do."""

    version = "0.6.0"

    def __init__(self, option=""):
        program = environment_of("fasttrackml", "--no-deps", f"fasttrackml=={self.version}") / "bin/fml"
        self.start(lambda _, port: [str(program), "server", "--listen-address", f"127.0.0.1:{port}", "--database-uri",
                                    f"sqlite://history.db{option}", "--log-level", "error"], {})


class MlflowGo(Mlflow):
    """mlflow-go-backend: MLflow's server with its most used endpoints written in Go. The newest
    MLflow that it works with is 3.0.0. Its wheel for Linux has the library under a name that it looks for on a Mac."""

    version = "0.2.2"

    def __init__(self):
        folder = environment_of("mlflow-go", f"mlflow-go-backend=={self.version}", "mlflow==3.0.0", "sqlalchemy<2.1")
        package = next(folder.glob("lib/python3*/site-packages/mlflow_go_backend"))
        for wanted, there in (("libmlflow-go-backend.so", "libmlflow-go-backend.dylib"),
                              ("libmlflow-go-backend.h", "libmlflow-go-backend.h")):
            link = folder / wanted
            if not link.exists():
                link.symlink_to(package / there)
        self.start(lambda path, port: [
            str(folder / "bin/mlflow-go"), "server", "--host", "127.0.0.1", "--port", str(port), "--backend-store-uri",
            f"sqlite:///{path}/history.db", "--artifacts-destination", f"{path}/artifacts", "--go-opts",
            "log_level=error"],
            {"PATH": f"{folder}/bin:{os.environ['PATH']}", "MLFLOW_GO_LIBRARY_PATH": str(folder)})

    def end(self):
        """It ends the MLflow that it has started for the other endpoints, in a group of processes of its own."""
        self.process.terminate()
        self.process.wait(timeout=60)
