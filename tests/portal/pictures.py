"""The pictures of docs/portal.md, of runs that are made up for them."""

import math
import pathlib
import time

import browser
import small_png
from browser import wait_for


def take(program, folder):
    window = browser.Browser()
    server = browser.Server(program)
    try:
        window.resize(1000, 700)
        experiment, runs = sweep(server)
        pictures = {"portal-runs": f"experiment/{experiment}", "portal-run": f"run/{runs[5]}?smooth=0.8",
                    "portal-compare": f"compare?smooth=0.8&runs={','.join(runs[2:6])}"}
        for name, place in pictures.items():
            window.open(f"{server.url}/#/{place}")
            wait_for(lambda: window.all("table.runs") or len(window.all(".chart canvas")) == 2, place)
            picture = pathlib.Path(folder) / f"{name}.png"
            window.driver.save_screenshot(str(picture))
            small_png.shrink(picture)
    finally:
        window.stop()
        server.stop()


def sweep(server):
    experiment = server.experiment("fashion-mnist")
    now = int(time.time() * 1000)
    runs = []
    for n in range(24):
        rate = 0.004 * (1 + n % 6)
        noise = lambda s: 0.06 * math.sin((s + n) * 12.9898) * math.cos((s + n) * 4.1414)
        metrics = {"validation_loss": [2.3 * math.exp(-s * rate) + 0.2 + noise(s) for s in range(200)],
                   "validation_accuracy": [0.93 - 0.83 * math.exp(-s * rate) + noise(3 * s) / 3 for s in range(200)]}
        params = {"lr": f"{rate:.3f}", "width": str([64, 128, 256][n % 3])}
        runs.append(server.run(experiment, f"sweep-{n:02}", params, metrics, start_time=now - (24 - n) * 400_000,
                               status={20: "FAILED", 17: "KILLED"}.get(n, "FINISHED"), duration_ms=371_000 - 7000 * (n % 5)))
    return experiment, runs
