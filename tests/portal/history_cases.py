"""Experiments, tables of runs, curves, comparing: of runs that clients reported."""

import json

from browser import wait_for
from page_case import PageCase
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

PAGE_SIZE = 50  # of portal/pages/runs.js


class History(PageCase):
    """Runs that clients reported."""

    @classmethod
    def fill(cls):
        cls.sweep = cls.server.experiment("sweep")
        cls.runs = [cls.server.run(cls.sweep, f"trial-{n:02}",
                                   {"lr": str(n / 100), "width": str(64 if n % 2 else 128), "data": "mnist"},
                                   {"loss": [2.0, 1.0, 0.01 * (60 - n)], "accuracy": [0.1, n / 100]},
                                   start_time=1_764_000_000_000 + n * 60_000) for n in range(60)]

    def names(self):
        return [text for text in self.window.texts("table.runs a.row")]

    def test_experiments_are_listed_and_searched(self):
        self.window.open(self.server.url)
        self.window.sees("sweep", "table a.row")
        self.window.sees("60", "td.number")
        self.window.type("input[data-filter]", "nothing-like-this")
        self.window.sees('No experiment\'s name contains "nothing-like-this"')
        self.window.type("input[data-filter]", "SWE")
        wait_for(lambda: self.window.texts("table a.row") == ["sweep"], "the one experiment")
        self.window.click("a.row", "sweep")
        self.window.sees("trial-59", "table.runs")

    def test_a_filter_in_mlflows_grammar_is_part_of_the_address(self):
        self.open(f"experiment/{self.sweep}")
        self.window.one("table.runs")
        self.window.type("input[data-filter]", "metrics.accuracy > 0.565 AND params.width = '64'", enter=True)
        wait_for(lambda: self.names() == ["trial-59", "trial-57"], "what the filter lets through")
        address = self.window.driver.current_url
        self.window.open(address)
        wait_for(lambda: self.names() == ["trial-59", "trial-57"], "the same from the address alone")

    def test_a_mistake_in_a_filter_is_explained_under_it(self):
        self.open(f"experiment/{self.sweep}")
        self.window.one("table.runs")
        self.window.type("input[data-filter]", "metrics.loss <", enter=True)
        said = self.window.one(".filter-error").text
        self.assertIn("metrics.loss", said)
        wait_for(lambda: len(self.names()) == PAGE_SIZE, "what was there before")
        self.window.type("input[data-filter]", "", enter=True)
        wait_for(lambda: not self.window.all(".filter-error"), "no error")
        self.expected = ["status of 400"]

    def test_a_heading_orders_by_its_column_in_the_store(self):
        self.open(f"experiment/{self.sweep}")
        self.window.click("th button", "accuracy")
        wait_for(lambda: self.names()[:2] == ["trial-00", "trial-01"], "ascending")
        self.window.click("th button", "accuracy")
        wait_for(lambda: self.names()[:2] == ["trial-59", "trial-58"], "descending")
        self.assertIn("sort=", self.window.driver.current_url)

    def test_more_runs_are_loaded_when_asked_for(self):
        self.open(f"experiment/{self.sweep}")
        wait_for(lambda: len(self.names()) == PAGE_SIZE, "one page")
        self.window.click("button.more")
        wait_for(lambda: len(set(self.names())) == len(self.runs), "all, each once")
        self.assertFalse(self.window.all("button.more"))

    def test_columns_are_chosen_and_remembered(self):
        self.open(f"experiment/{self.sweep}")
        self.window.click("form button", "Columns")
        self.window.click("dialog button", "None")
        self.window.click("dialog label", "params.data")
        self.window.click("dialog button", "Show these")
        wait_for(lambda: self.window.texts("table.runs thead th")[4:] == ["Duration", "data"], "one chosen column")
        self.open(f"experiment/{self.sweep}")
        wait_for(lambda: self.window.texts("table.runs thead th")[4:] == ["Duration", "data"], "remembered")
        self.window.driver.execute_script("localStorage.clear()")

    def test_comparing_shows_what_differs(self):
        self.open(f"experiment/{self.sweep}")
        self.window.one("table.runs")
        for box in self.window.all("table.runs td.check input")[:2]:
            box.click()
        self.window.click("form button", "Compare 2")
        self.window.one("table.differences")
        self.window.one(".chart canvas")
        keys = "section:nth-of-type(1) table.differences tbody th"
        self.assertEqual(self.window.texts(keys), ["lr", "width"])
        self.window.click("section:nth-of-type(1) label")
        wait_for(lambda: self.window.texts(keys) == ["data", "lr", "width"], "all params")
        self.assertEqual(len(self.window.all("svg.parallel polyline")), 2)

    def test_tags_are_edited_in_the_store(self):
        run_id = self.runs[0]
        self.open(f"run/{run_id}")
        self.window.click(".facts button", "Add a tag")
        self.window.type("dialog input[name=key]", "note")
        self.window.type("dialog input[name=value]", "first", enter=True)
        wait_for(lambda: self.tags(run_id).get("note") == "first", "the tag in the store")
        self.window.click("button[aria-label='Edit tag note']")
        self.window.type("dialog input[name=value]", "second", enter=True)
        wait_for(lambda: self.tags(run_id).get("note") == "second", "its new value")
        self.window.click("button[aria-label='Delete tag note']")
        self.window.click("dialog button", "Delete")
        wait_for(lambda: "note" not in self.tags(run_id), "its end")

    def tags(self, run_id):
        data = self.server.get("runs/get", run_id=run_id)["run"]["data"]
        return {each["key"]: each["value"] for each in data.get("tags", [])}

    def test_curves_are_smoothed_and_zoomed(self):
        steps = 3000
        run_id = self.server.run(self.sweep_of("long"), "long", metrics={"loss": [1 / (n + 1) for n in range(900)]})
        for start in range(900, steps, 900):
            metrics = [{"key": "loss", "value": 1 / (n + 1), "step": n, "timestamp": 1_764_000_000_000 + n}
                       for n in range(start, start + 900)]
            self.server.post("runs/log-batch", {"run_id": run_id, "metrics": metrics})
        self.open(f"run/{run_id}")
        self.window.one(".chart canvas")
        self.window.sees("extremes of", ".chart figcaption")
        whole = int(self.window.one(".chart").get_attribute("data-points"))
        over = self.window.one(".u-over")
        left = 2 - over.size["width"] // 2
        mouse = ActionChains(self.window.driver, duration=50)
        mouse.move_to_element_with_offset(over, left, 0).click_and_hold()
        mouse.move_by_offset(over.size["width"] // 10, 0).release().perform()
        self.window.one("button", "Whole range")
        wait_for(lambda: not self.window.one(".chart figcaption").text.endswith("points"), "every point of a tenth")
        self.assertLess(int(self.window.one(".chart").get_attribute("data-points")), whole)
        ActionChains(self.window.driver).double_click(self.window.one(".u-over")).perform()
        self.window.sees("extremes of", ".chart figcaption")
        self.window.driver.execute_script("""const slider = document.querySelector("input[type=range]"); slider.value = 0.9;
          slider.dispatchEvent(new Event("input")); slider.dispatchEvent(new Event("change"))""")
        self.window.sees("0.9", "output")
        self.assertIn("smooth=0.9", self.window.driver.current_url)

    def sweep_of(self, name):
        return self.server.experiment(name)

    def test_values_without_a_place_on_an_axis_are_told(self):
        run_id = self.server.run(self.server.experiment("nan"), "nan", metrics={"loss": [1, "NaN", 0.5, "Infinity"]})
        self.open(f"run/{run_id}")
        self.window.sees("2 NaN or infinite, first at step 1", ".chart figcaption")

    def test_the_axis_of_epochs(self):
        points = lambda key, steps: [{"key": key, "value": 1 / step, "step": step, "timestamp": step} for step in steps]
        run_id = self.server.run(self.server.experiment("epochs"), "epochs")
        self.server.post("runs/log-batch", {"run_id": run_id, "metrics": points("epoch_train_loss", (100, 200, 300)) +
                                                                    points("train_loss", range(50, 301, 50))})
        self.open(f"run/{run_id}?axis=epoch&keys=train_loss")
        self.window.one(".chart canvas")
        curve = "{key: 'epoch_train_loss', points: [[100, 0, 1], [200, 0, 1]]}"
        pairs = [[0, 0], [100, 1], [200, 2]]
        self.assertEqual(self.module("parts/axes.js", f"return m.epochsOf({curve})"), pairs)
        self.assertEqual(self.module("parts/axes.js", f"return m.interpolate({pairs}, 250, 0, 1)"), 2.5)

    def module(self, path, script):
        """What a function of the portal answers: `m` is the module."""
        return self.window.driver.execute_async_script(
            f"const done = arguments[0]; import('/portal/{path}').then((m) => done((() => {{ {script} }})()))")

    def test_tables_of_commas(self):
        self.window.open(self.server.url)
        text = json.dumps('a,"b ""q"", c"\r\n"two\nlines",\n\nlast')
        self.assertEqual(self.module("parts/csv.js", f"return m.csvRows({text}, ',', 9)"),
                         [["a", 'b "q", c'], ["two\nlines", ""], ["last"]])
        self.assertEqual(self.module("parts/csv.js", f"return m.csvRows({text}, ',', 1)"), [["a", 'b "q", c']])

    def test_smoothing_keeps_a_constant_and_gaps(self):
        self.window.open(self.server.url)
        self.assertEqual(self.module("parts/chart.js", "return m.smoothed([2, null, 2, 2], 0.5)"), [2, None, 2, 2])

    def test_an_event_is_read_as_it_was_sent(self):
        self.window.open(self.server.url)
        event = self.module("events.js", r"return m.eventOf(': alive\nevent: job\ndata: {\"a\":\ndata: 1}')")
        self.assertEqual(event, {"type": "job", "data": '{"a":1}'})

    def test_one_of_many_metrics_is_found(self):
        experiment = self.server.experiment("many")
        run_id = self.server.run(experiment, "many", metrics={f"layer/{n:03}/norm": [n] for n in range(300)})
        self.open(f"run/{run_id}")
        self.window.click(".keys summary")
        self.window.type(".keys input[type=search]", "layer/277")
        self.window.click(".keys label", "layer/277/norm")
        self.window.sees("layer/277/norm", ".chart figcaption")

    def test_what_log_model_made_can_be_registered(self):
        experiment = self.server.experiment("logged")
        run_id = self.server.run(experiment, "trainer")
        body = {"experiment_id": experiment, "name": "net", "source_run_id": run_id}
        model = self.server.post("logged-models", body)["model"]["info"]
        place = model["artifact_uri"].removeprefix("mlflow-artifacts:")
        self.server.put_bytes(f"/api/2.0/mlflow-artifacts/artifacts{place}/MLmodel", b"flavors: {}\n")
        self.open(f"run/{run_id}?tab=artifacts")
        self.window.one("h3", "Logged model net")
        self.window.click("button", "Register this model")
        self.window.type("dialog input[name=name]", "from-logged", enter=True)
        self.window.one("h3", "Version 1")
        version = self.server.get("model-versions/get", name="from-logged", version="1")["model_version"]
        self.assertEqual((version["run_id"], version["source"]), (run_id, model["artifact_uri"]))

    def test_addresses_of_mlflows_client_lead_here(self):
        self.open(f"experiments/{self.sweep}/runs/{self.runs[2]}")
        self.window.one("h1", "trial-02")
        self.open(f"experiments/{self.sweep}")
        self.window.one("h1", "sweep")

    def test_nothing_yet_is_explained(self):
        empty = self.server.experiment("empty")
        self.open(f"experiment/{empty}")
        self.window.sees("lockstep run job.yml")
        self.window.sees("mlflow.start_run()")
        self.open("models")
        self.window.one("h1", "Models")

    def focused_run(self):
        """The name of the run whose row has the focus; asked in one go, as rows are made anew while one looks."""
        return self.window.driver.execute_script(
            "const at = document.activeElement; return at.dataset.run ? at.textContent : null;")

    def test_the_keyboard_reaches_a_run(self):
        self.open(f"experiment/{self.sweep}")
        self.window.one("table.runs")
        body = self.window.driver.find_element(By.TAG_NAME, "body")
        body.send_keys("/")
        self.assertEqual(self.window.driver.switch_to.active_element.get_attribute("data-filter"), "")
        self.window.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        body.send_keys("?")
        self.window.sees("to the filter or search field", "dialog")
        self.window.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        wait_for(lambda: not self.window.all("dialog"), "the list of shortcuts is closed")
        for _ in range(60):
            if self.focused_run():
                break
            self.window.press(Keys.TAB)
        name = self.focused_run()
        self.window.press(Keys.ENTER)
        self.window.one("h1", name)
        self.assertIn("#/run/", self.window.driver.current_url)

    def test_a_narrow_window_scrolls_down_only(self):
        places = ["experiments", f"experiment/{self.sweep}", f"run/{self.runs[0]}", f"run/{self.runs[0]}?tab=logs",
                  f"compare?runs={self.runs[0]},{self.runs[1]}", "models", "compute"]
        self.window.resize(390, 800)
        try:
            for place in places:
                self.open(place)
                self.window.one("h1")
                wait_for(lambda: "Loading" not in self.window.text(), f"{place} is there")
                widths = self.window.driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
                self.assertLessEqual(widths[0], widths[1], place)
        finally:
            self.window.usual_size()

    def test_both_themes(self):
        self.open(f"run/{self.runs[1]}")
        self.window.one(".chart canvas")
        colours = set()
        for _ in range(3):
            self.window.click("#theme")
            colours.add(self.window.driver.execute_script("return getComputedStyle(document.body).backgroundColor"))
        self.assertEqual(len(colours), 2)
        self.window.driver.execute_script("localStorage.clear()")

    def test_an_unknown_run_is_an_error_on_the_page(self):
        self.open("run/no-such-run")
        self.window.one(".failure", "no-such-run")
        self.expected = ["status of 404"]
