"""Servers that ask for a token, and one that is gone."""

import browser
import page_case
from browser import wait_for
from page_case import PageCase


class Gone(PageCase):
    def test_a_server_that_is_gone_is_said_to_be(self):
        server = browser.Server(page_case.PROGRAM)
        experiment = server.experiment("short")
        server.run(experiment, "trial")
        self.window.open(f"{server.url}/#/experiment/{experiment}")
        self.window.sees("trial", "table.runs")
        server.stop()
        self.window.type("input[data-filter]", "metrics.x > 1", enter=True)
        self.window.sees("Is `lockstep serve` still running?", ".failure")
        self.expected = ["ERR_CONNECTION_REFUSED"]


class Tokens(PageCase):
    options = ("--require-token",)

    @classmethod
    def fill(cls):
        cls.run_id = cls.server.run(cls.server.experiment("secret"), "trial")

    def test_a_token_is_asked_for_and_works(self):
        self.window.open(self.server.url)
        self.window.driver.execute_script("sessionStorage.clear()")
        self.window.driver.refresh()
        self.window.one("dialog.token")
        self.window.type("dialog.token input", "wrong-token", enter=True)
        self.window.one("dialog.token")
        wait_for(lambda: self.window.one("dialog.token input").get_attribute("value") == "", "asked again")
        self.assertNotIn("secret", self.window.text())
        self.window.type("dialog.token input", self.server.token, enter=True)
        self.window.click("a.row", "secret")
        self.window.sees("trial", "table.runs")
        self.window.driver.refresh()
        self.window.sees("trial", "table.runs")
        self.assertFalse(self.window.all("dialog.token"))
        self.expected = ["status of 401"]


    def test_a_token_that_may_only_look_is_told_so(self):
        self.window.open(self.server.url)
        reader = self.server.lockstep("token", "create", "--scope", "read").strip()
        self.window.driver.execute_script("sessionStorage.setItem('lockstep.token', arguments[0])", reader)
        self.open(f"run/{self.run_id}")
        self.window.click(".facts button", "Add a tag")
        self.window.type("dialog input[name=key]", "note")
        self.window.type("dialog input[name=value]", "first", enter=True)
        self.window.type("dialog.token input", self.server.token, enter=True)
        self.window.sees("note", ".tags th")
        tags = self.server.get("runs/get", run_id=self.run_id)["run"]["data"]["tags"]
        self.assertIn({"key": "note", "value": "first"}, tags)
        self.expected = ["status of 401", "status of 403"]
