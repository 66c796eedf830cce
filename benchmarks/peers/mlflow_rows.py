"""Runs as http_load --fill makes them, written straight into the SQLite file of an MLflow server that is on."""

import contextlib
import sqlite3
import uuid

KEYS = ["loss", *(f"metric-{i}" for i in range(1, 5))]


def insert(database, table, columns, rows):
    marks = ", ".join("?" * len(columns))
    database.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)


def fill(file, count):
    at = 1_700_000_000_000
    runs = [(number, uuid.uuid4().hex) for number in range(count)]
    loss = lambda number: number // 10 % 10 / 10
    with contextlib.closing(sqlite3.connect(file, timeout=60)) as database, database:
        insert(database, "runs", ["run_uuid", "name", "user_id", "status", "lifecycle_stage", "start_time", "experiment_id",
                                  "artifact_uri"],
               [(run, f"run-{number}", "bench", "RUNNING", "active", at + 1000 * number, 0, f"mlflow-artifacts:/0/{run}") for number, run in runs])
        insert(database, "tags", ["run_uuid", "key", "value"],
               [(run, "mlflow.runName", f"run-{number}") for number, run in runs])
        insert(database, "params", ["run_uuid", "key", "value"],
               [(run, key, str(number % 10) if key == "rate" else str(number))
                for number, run in runs for key in ["rate", *(f"param-{i}" for i in range(1, 5))]])
        for table in ("metrics", "latest_metrics"):
            insert(database, table, ["run_uuid", "key", "value", "timestamp", "step", "is_nan"],
                   [(run, key, loss(number), at, 1, False) for number, run in runs for key in KEYS])
