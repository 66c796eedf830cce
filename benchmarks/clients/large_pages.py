"""The portal's pages in a headless Chromium, each until what a person came for is drawn (for history-large.py)."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tests/portal"))
from browser import Browser, wait_for  # noqa: E402

# Looks at each frame, so a time is late by a frame at most. performance.now() counts from the page's address on.
WATCH = """
(() => {
  const look = () => {
    if (document.body && %s) window.drawnAfter = performance.now();
    else requestAnimationFrame(look);
  };
  look();
})()
"""


class Pages:
    def __init__(self, url):
        self.url = url

    def __enter__(self):
        self.browser = Browser()
        self.browser.driver.execute_cdp_cmd("Network.enable", {})
        self.browser.driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
        return self

    def __exit__(self, *_):
        self.browser.stop()

    def rows(self, ids):
        """(what, wanted ms, place, what is there when it is drawn)"""
        charts = "document.querySelectorAll('.charts canvas').length >= {} && document.querySelector('.facts table.pairs')"
        runs = "document.querySelectorAll('table.runs tbody tr').length >= 50"
        experiment = ids.experiments
        return [
            ("a run of 10 metrics", 1000, f"run/{ids.usual}", charts.format(4)),
            ("a run, curves of 1,000,000 points", 1000, f"run/{ids.long}", charts.format(2)),
            ("a run of 100,000 metrics", 1000, f"run/{ids.wide}", charts.format(1)),
            ("runs: 5,000, usual ones", 1000, f"experiment/{experiment['team-01']}", runs),
            ("runs: 5,000, the newest of 100,000 metrics", 1000, f"experiment/{experiment['team-00']}", runs),
            ("runs: 100,000", 1000, f"experiment/{experiment['sweep']}", runs),
            ("runs: 100,000, by a metric", 1000,
             f"experiment/{experiment['sweep']}?sort=metrics.%60val_loss%60+ASC", runs),
        ]

    def opened(self, place, drawn):
        """Milliseconds."""
        driver = self.browser.driver
        driver.get("about:blank")
        watch = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH % drawn})
        driver.get(f"{self.url}/#/{place}")
        took = wait_for(lambda: driver.execute_script("return window.drawnAfter"),
                        lambda: f"{place}; the page says:\n{self.browser.text()[:2000]}", deadline_s=60)
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", watch)
        return took
