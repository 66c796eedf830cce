#!/usr/bin/env python3
"""Several `lockstep serve` on one PostgreSQL database: what was acknowledged is there, whoever dies.

    servers_test.py BUILD-FOLDER
"""

import http.client
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import unittest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "clients")]
ROUNDS = int(os.environ.get("LOCKSTEP_KILL_ROUNDS", "5"))
SEED = int(os.environ.get("LOCKSTEP_SEED", "20261128"))
import postgres
import servers


def call(server, verb, path, body=None, headers=None):
    """Its status and reply."""
    address = server.url.split("://")[1]
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request(verb, f"/api/2.0/mlflow/{path}", json.dumps(body) if body is not None else None,
                       {"Content-Type": "application/json", **(headers or {})})
    reply = connection.getresponse()
    text = reply.read()
    connection.close()
    return reply.status, json.loads(text)


def metrics_of(server, run_id, key):
    """All values, page by page."""
    values, token = [], ""
    while True:
        status, page = call(server, "GET", f"metrics/get-history?run_id={run_id}&metric_key={key}&max_results=1000"
                            + (f"&page_token={token}" if token else ""))
        assert status == 200, page
        values += [each["value"] for each in page.get("metrics", [])]
        token = page.get("next_page_token")
        if not token:
            return values


class Writer(threading.Thread):
    """Logs 0, 1, 2 ... in turns to its servers until it is told to stop. One that does not answer is tried again."""

    def __init__(self, key, run_id, targets, stays=False):
        super().__init__()
        self.key, self.run_id, self.targets, self.stays = key, run_id, targets, stays
        self.acknowledged, self.sent = [], 0
        self.stopped = threading.Event()
        self.refused = 0

    def run(self):
        while not self.stopped.is_set():
            value = self.sent
            self.sent += 1
            metric = {"key": self.key, "value": value, "timestamp": value, "step": value}
            try:
                status, _ = call(self.targets[value % len(self.targets)], "POST", "runs/log-batch",
                                 {"run_id": self.run_id, "metrics": [metric]})
            except (OSError, http.client.HTTPException):
                self.refused += 1
                if not self.stays:
                    return
                continue
            if status == 200:
                self.acknowledged.append(value)
            else:
                self.refused += 1

    def end(self):
        self.stopped.set()
        self.join()


class Servers(unittest.TestCase):
    def setUp(self):
        self.postgres = postgres.Postgres()
        self.addCleanup(self.postgres.remove)
        self.store = postgres.url_of(self.postgres.folder, postgres.new_database(self.postgres.folder))

    def serve(self):
        server = servers.Lockstep(options=["--store", self.store])
        self.addCleanup(server.stop)
        return server

    def lockstep(self, *arguments):
        """What the command prints."""
        program = pathlib.Path(sys.argv[1]) / "bin/lockstep"
        return subprocess.run([program, *arguments, "--store", self.store], check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True).stdout

    def test_tokens_are_in_the_store(self):
        token = self.lockstep("token", "create", "--note", "wall").strip()
        server = servers.Lockstep(options=["--store", self.store, "--require-token"])
        self.addCleanup(server.stop)
        bearer = {"Authorization": f"Bearer {token}"}
        self.assertEqual(call(server, "GET", "experiments/get?experiment_id=0", headers=bearer)[0], 200)
        self.assertEqual(call(server, "GET", "experiments/get?experiment_id=0")[0], 401)
        listed = json.loads(self.lockstep("token", "list", "-o", "json"))
        self.assertEqual([each["note"] for each in listed], ["wall"])
        self.lockstep("token", "delete", listed[0]["token_id"])
        self.assertEqual(json.loads(self.lockstep("token", "list", "-o", "json")), [])

    def new_run(self, server):
        status, reply = call(server, "POST", "runs/create", {"experiment_id": "0", "run_name": "written"})
        self.assertEqual(status, 200, reply)
        return reply["run"]["info"]["run_id"]

    def wait_for(self, writer, count):
        while len(writer.acknowledged) < count:
            self.assertTrue(writer.is_alive(), "the writer is gone")
            writer.join(0.01)

    def expect_kept(self, server, writer):
        kept = metrics_of(server, writer.run_id, writer.key)
        self.assertEqual(kept, sorted(set(kept)), "in order, and each once")
        self.assertLessEqual(set(writer.acknowledged), set(kept))
        self.assertLessEqual(set(kept), set(range(writer.sent)))

    def test_two_write_to_one_run_and_each_sees_all_of_it(self):
        one, other = self.serve(), self.serve()
        run_id = self.new_run(one)
        writers = [Writer(f"m{i}", run_id, [one, other]) for i in range(4)] + [
            Writer("same.one", run_id, [one]), Writer("same.other", run_id, [other])]
        for each in writers:
            each.start()
        for each in writers:
            self.wait_for(each, 100)
        for each in writers:
            each.end()
            self.assertEqual(len(each.acknowledged), each.sent)
            for server in (one, other):
                self.assertEqual(metrics_of(server, run_id, each.key), list(range(each.sent)))
        for verb, path, body in (("POST", "experiments/create", {"name": "shared"}),):
            self.assertEqual(call(one, verb, path, body)[0], 200)
            self.assertEqual(call(other, verb, path, body)[1]["error_code"], "RESOURCE_ALREADY_EXISTS")

    def test_one_is_killed_and_the_other_goes_on_with_all_that_was_acknowledged(self):
        dice = random.Random(SEED)
        stays = self.serve()
        run_id = self.new_run(stays)
        for turn in range(ROUNDS):
            dies = servers.Lockstep(options=["--store", self.store])
            doomed = [Writer(f"doomed{turn}.{i}", run_id, [dies]) for i in range(3)]
            steady = Writer(f"steady{turn}", run_id, [stays])
            for each in (*doomed, steady):
                each.start()
            self.wait_for(doomed[0], dice.randrange(1, 150))
            dies.process.kill()
            for each in doomed:
                each.join()
            before = len(steady.acknowledged)
            self.wait_for(steady, before + 20)  # no lock was left behind
            steady.end()
            dies.process.wait()
            dies.process.stdout.close()
            dies.folder.cleanup()
            for each in (*doomed, steady):
                self.expect_kept(stays, each)

    def test_the_database_crashes_and_comes_back_and_nothing_acknowledged_is_missing(self):
        dice = random.Random(SEED)
        server = self.serve()
        run_id = self.new_run(server)
        for turn in range(ROUNDS):
            writers = [Writer(f"m{turn}.{i}", run_id, [server], stays=True) for i in range(3)]
            for each in writers:
                each.start()
            self.wait_for(writers[0], dice.randrange(1, 100))
            self.postgres.crash()
            status, reply = call(server, "POST", "runs/create", {"experiment_id": "0"})
            self.assertEqual((status, reply["error_code"]), (500, "INTERNAL_ERROR"))
            self.postgres.start()
            before = len(writers[0].acknowledged)
            self.wait_for(writers[0], before + 20)
            for each in writers:
                each.end()
                self.assertGreater(each.refused, 0)
                self.expect_kept(server, each)


if __name__ == "__main__":
    if not postgres.PROGRAMS:
        print("skipped: no PostgreSQL server is installed")
        sys.exit(77)
    servers.run_tests()
