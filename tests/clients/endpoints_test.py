#!/usr/bin/env python3
"""docs/mlflow.md, the endpoints of MLflow's release, and what the server says of them.

    endpoints_test.py BUILD-FOLDER
"""

import json
import pathlib
import re
import unittest
import urllib.error
import urllib.request

import servers
from mlflow.server.handlers import get_endpoints

PAGE = (pathlib.Path(__file__).resolve().parents[2] / "docs/mlflow.md").read_text()


def with_nameless_parts(path):
    return re.sub(r"<[^>]*>|\{[^}]*\}", "{}", path)


def of_the_release():
    """Verb and path of each; the misspelt one is MLflow's own."""
    for path, _, verbs in get_endpoints():
        if not path.startswith("/ajax-api/") and not path.startswith("/api/2.0mlflow/"):
            for verb in verbs:
                yield verb, with_nameless_parts(path)


def served_by_the_page():
    served, rest = PAGE.split("## What is served")[1].split("## What is not served")[0], "/api/2.0/mlflow/"
    for line in served.splitlines():
        if line.startswith("The artifact proxy"):
            rest = "/api/2.0/mlflow-artifacts"
        if line.startswith("Whole paths"):
            rest = ""
        if found := re.match(r"\| `([A-Z]+) (\S+)`", line):
            yield found[1], with_nameless_parts(rest + found[2])


def not_served_by_the_page():
    """Beginnings of paths."""
    for line in PAGE.split("## What is not served")[1].split("\n## ")[0].splitlines():
        if line.startswith("| `"):
            yield from re.findall(r"`(/[^`]*)`", line.split(" | ")[0])


def is_below(path, beginning):
    return path == beginning or path.startswith(beginning + "/")


class Endpoints(unittest.TestCase):
    def test_the_page_tells_of_each_whether_it_is_served(self):
        served, unserved = set(served_by_the_page()), list(not_served_by_the_page())
        for verb, path in of_the_release():
            with self.subTest(f"{verb} {path}"):
                below = [each for each in unserved if is_below(path, each)]
                self.assertEqual(len(below), 0 if (verb, path) in served else 1)

    def test_what_the_page_says_is_not_served_exists_in_the_release(self):
        paths = {path for _, path in of_the_release()}
        for beginning in not_served_by_the_page():
            self.assertTrue(any(is_below(path, beginning) for path in paths), beginning)

    def test_what_is_not_served_is_said_so_in_a_way_that_clients_understand(self):
        server = servers.Lockstep()
        self.addCleanup(server.stop)
        served = set(served_by_the_page())
        for verb, path in set(of_the_release()) - served:
            request = urllib.request.Request(server.url + path.replace("{}", "x"), method=verb)
            with self.subTest(f"{verb} {path}"), self.assertRaises(urllib.error.HTTPError) as raised:
                urllib.request.urlopen(request, timeout=60)
            answer = json.loads(raised.exception.read())
            self.assertEqual((raised.exception.code, answer["error_code"]), (404, "ENDPOINT_NOT_FOUND"))


if __name__ == "__main__":
    servers.run_tests()
