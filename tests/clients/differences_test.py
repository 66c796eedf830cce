#!/usr/bin/env python3
"""The same odd requests to MLflow's own server and to ours: they answer alike, but where DIFFERENT has a reason.

    differences_test.py BUILD-FOLDER
"""

import json
import re
import unittest
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import servers
from intended_differences import DIFFERENT
from requests_to_compare import CASES, SETUP


def filled(value, names):
    """With what is in `names` for {name}."""
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda found: names.get(found[1], found[0]), value)
    if isinstance(value, list):
        return [filled(each, names) for each in value]
    if isinstance(value, dict):
        return {key: filled(each, names) for key, each in value.items()}
    return value


def send(url, names, verb, path, content):
    """The status and the JSON of the answer; the text, if it is none."""
    path = filled(path, names)
    target, body = url + (path if path.startswith("/") else f"/api/2.0/mlflow/{path}"), None
    content = filled(content, names)
    if verb == "GET":
        target += "?" + urllib.parse.urlencode(content)
    else:
        body = (content if isinstance(content, str) else json.dumps(content)).encode()
    request = urllib.request.Request(target, body, {"Content-Type": "application/json"}, method=verb)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            status, text = reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


def masked(value, names):
    """Without what differs from server to server and from time to time, in one order where order has no meaning."""
    if isinstance(value, dict):
        # Workspaces are a part of MLflow's product that isn't served; all is in "default".
        return {key: masked_value(key, each, names) for key, each in value.items() if key != "workspace"}
    if isinstance(value, list):
        return [masked(each, names) for each in value]
    if isinstance(value, str):
        for name, given in names.items():
            if len(given) > 8:
                value = value.replace(given, f"<{name}>")
        value = re.sub(r"\b[0-9a-f]{32}\b", "<id>", value)
        return re.sub(r"'\{(.*)\}'", set_in_order, value)
    return value


def set_in_order(found):
    """A set in a message: MLflow prints it as Python's hashes have it."""
    return "'{" + ", ".join(sorted(found[1].split(", "))) + "}'"


def masked_value(key, value, names):
    if re.match("(creation|last_updated?)_time|(creation|last[uU]pdated?)Time", key):
        return f"<{key}>"
    if key in {"next_page_token", "run_name"} and value and value not in {"one", "two", "gone"}:
        return f"<{key}>"
    value = masked(value, names)
    if key in {"metrics", "params", "tags"} and is_a_map(value):
        return sorted(value, key=json.dumps)
    return value


def is_a_map(value):
    """A list of keys and values, in an order that has no meaning: no history of one metric."""
    keys = [each.get("key") for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    return len(set(keys)) == len(keys)


def in_short(status, answer):
    """What is compared: of an error what clients look at."""
    if isinstance(answer, dict) and "error_code" in answer:
        return status, answer["error_code"], answer.get("message")
    return status, json.dumps(answer, sort_keys=True) if status == 200 else "no error of the API"


def answers_of(url):
    names = {}
    for name, where, *request in SETUP:
        status, answer = send(url, names, *request)
        assert status == 200, (request, answer)
        for key in where:
            answer = answer[key]
        if name:
            names[name] = answer
    answers = {}
    for case, request in CASES.items():
        status, answer = send(url, names, *request)
        answers[case] = in_short(status, masked(answer, names))
    return answers


class Differences(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        started = []
        for kind in (servers.Lockstep, servers.Mlflow):
            started.append(kind())
            cls.addClassCleanup(started[-1].stop)
        with ThreadPoolExecutor() as both:
            cls.ours, cls.theirs = both.map(lambda server: answers_of(server.url), started)

    def test_there_are_none_without_a_reason(self):
        for case in CASES:
            if case not in DIFFERENT:
                with self.subTest(case):
                    self.assertEqual(self.ours[case], self.theirs[case])

    def test_every_intended_one_is_one(self):
        self.assertLessEqual(set(DIFFERENT), set(CASES))
        for case, (reason, ours) in DIFFERENT.items():
            with self.subTest(case, reason=reason):
                self.assertNotEqual(self.ours[case], self.theirs[case])
                self.assertEqual(self.ours[case][: len(ours)], ours)


if __name__ == "__main__":
    servers.run_tests()
