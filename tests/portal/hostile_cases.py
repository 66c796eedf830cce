"""Input that would be a script if it became markup."""

import json

from browser import wait_for
from page_case import PageCase


class Hostile(PageCase):
    """Names and texts that would be scripts if they became markup."""

    MARKUP = "<img src=x onerror=\"window.wasRun=1\"><script>window.wasRun=1</script>"

    @classmethod
    def fill(cls):
        cls.experiment_id = cls.server.experiment(cls.MARKUP)
        cls.runs = [cls.server.run(cls.experiment_id, cls.MARKUP, {"p": cls.MARKUP + str(n)}, {"loss": [1, 0.5]},
                                   {"note": cls.MARKUP, "mlflow.note.content": cls.MARKUP}) for n in range(2)]
        cls.server.post("registered-models/create", {"name": "model", "description": cls.MARKUP,
                                                     "tags": [{"key": "t", "value": cls.MARKUP}]})

    def test_nothing_of_it_runs(self):
        places = ["experiments", f"experiment/{self.experiment_id}", f"run/{self.runs[0]}",
                  f"run/{self.runs[0]}?tab=children", f"compare?runs={self.runs[0]},{self.runs[1]}", "models", "model/model"]
        for place in places:
            self.open(place)
            wait_for(lambda: "<img src=x" in self.window.text(), f"the text itself on {place}")
            self.assertIsNone(self.window.driver.execute_script("return window.wasRun ?? null"), place)
            self.assertFalse(self.window.all("main img, main script"), place)

    def test_artifacts_are_never_pages(self):
        script = "<script>window.wasRun=1;parent.wasRun=1</script>"
        files = {"a.html": script, "b.svg": f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{script}</svg>',
                 "c.csv": f"{self.MARKUP}\n1\n", "d.json": json.dumps(self.MARKUP), "e.bin": "\0"}
        place = f"/api/2.0/mlflow-artifacts/artifacts/{self.experiment_id}/{self.runs[0]}/artifacts"
        for name, text in files.items():
            self.server.put_bytes(f"{place}/{name}", text.encode())
        self.open(f"run/{self.runs[0]}?tab=artifacts")
        shown = {"a.html": ("pre", "wasRun"), "c.csv": ("th", "<img"), "d.json": ("pre", "<img"),
                 "e.bin": ("p", "Not a text")}
        for name, (selector, text) in shown.items():
            self.window.click("button.leaf", name)
            self.window.sees(text, f".preview {selector}")
        self.window.click("button.leaf", "b.svg")
        is_shown = "return document.querySelector('.preview img')?.naturalWidth === 9"
        wait_for(lambda: self.window.driver.execute_script(is_shown), "the image")
        self.assertIsNone(self.window.driver.execute_script("return window.wasRun ?? null"))

    def test_an_address_is_input_too(self):
        self.open("run/%3Cimg%20src%3Dx%20onerror%3D%22window.wasRun%3D1%22%3E")
        self.window.one(".failure")
        self.assertIsNone(self.window.driver.execute_script("return window.wasRun ?? null"))
        self.expected = ["status of 404", "status of 400"]
