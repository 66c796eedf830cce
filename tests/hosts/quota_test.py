#!/usr/bin/env python3
"""Quotas of VM families, for jobs on hosts that are reached by ssh.

    quota_test.py BUILD-FOLDER [TEST...]
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import hosts as rig  # noqa: E402
import jobs  # noqa: E402

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
FAMILY = "standardDSv2Family"
UNTIL_GO = "echo begun; while [ ! -e go ]; do sleep 0.1; done"


class Quotas(jobs.JobCase):
    """Three hosts of two cores each; a quota of four cores."""

    lockstep_program = BUILD / "bin/lockstep"
    compute = "lab"

    def setUp(self):
        self.begin()
        self.hosts = self.enterContext(rig.Hosts(3, shared=self.folder, hidden=[BUILD]))
        for name, tier in (("lab", "dedicated"), ("spare", "low_priority")):
            definition = self.folder / f"{name}.yml"
            definition.write_text(f"name: {name}\nsize: Standard_DS2_v2\ntier: {tier}\nengine: {{type: hosts, shared_files: true, "
                                  f"hosts: [{', '.join(self.hosts.names)}], ssh: {{config_file: {self.hosts.ssh_config}}}}}\n")
            self.lockstep("compute", "create", "-f", definition)
        self.lockstep("quota", "set", FAMILY.lower(), "--limit", "4")

    def popen(self, argv, **options):
        return self.hosts.start(argv, **options)

    def usage(self, tier="dedicated"):
        rows = json.loads(self.lockstep("compute", "list-usage", "-o", "json"))
        return {each["id"]: (each["current_value"], each["limit"], each["waiting"]) for each in rows}[f"{FAMILY}/{tier}"]

    def start_and_wait(self, name, **more):
        process = self.start(name, UNTIL_GO, **more)
        self.wait_for(lambda: "begun" in self.log(name, 0), f"{name} has begun", process)
        return process

    def start_queued(self, name, **more):
        process = self.start(name, "echo ran", **more)
        self.wait_for(lambda: self.status(name) == "Queued" and self.show(name)["queue"], f"{name} waits", process)
        return process

    def go(self, name):
        (self.run_folder(name) / "snapshot/go").touch()

    def test_a_run_waits_for_cores_with_the_reason_and_starts_when_they_are_free(self):
        self.assertEqual(self.usage(), (0, 4, 0))
        first = self.start_and_wait("first", nodes=2)
        second = self.start_queued("second", nodes=1)
        why = f"waiting for cores of family {FAMILY} (limit 4, in use 4); it needs 2"
        self.assertEqual(self.show("second")["queue"], why)
        self.assertEqual((self.run_folder("second") / "queue.txt").read_text(), why + "\n")
        self.assertEqual(self.usage(), (4, 4, 2))
        by_run = json.loads(self.lockstep("compute", "list-usage", "--by", "run", "-o", "json"))
        self.assertEqual([(each["name"], each["current_value"], each["waiting"]) for each in by_run],
                         [("first", 4, 0), ("second", 0, 2)])
        by_compute = json.loads(self.lockstep("compute", "list-usage", "--by", "compute", "-o", "json"))
        self.assertEqual([(each["compute"], each["current_value"], each["waiting"]) for each in by_compute], [("lab", 4, 2)])
        self.go("first")
        self.end(first)
        self.end(second)
        self.assertEqual(self.log("second", 0), "ran\n")
        self.assertFalse((self.run_folder("second") / "queue.txt").exists())
        self.assertEqual(self.show("second")["queue"], None)
        self.assertEqual(self.usage(), (0, 4, 0))

    def test_a_run_that_never_fits_is_refused_at_submit(self):
        said = self.run_job("large", "true", nodes=3, code=2)
        self.assertIn(f"compute 'lab': it needs 6 cores of family {FAMILY} (2 on each of 3 nodes), and the quota's limit is 4: set "
                      f"resources.instance_count to 2 at most, or lockstep quota set {FAMILY} --limit 6", said)
        self.assertFalse(self.run_folder("large").exists())
        self.lockstep("quota", "delete", FAMILY)
        self.run_job("large", "true", nodes=3)

    def test_a_quota_that_is_changed_holds_for_runs_that_wait(self):
        first = self.start_and_wait("first", nodes=2)
        second = self.start_queued("second", nodes=1)
        self.lockstep("quota", "set", FAMILY, "--limit", "1")
        self.wait_for(lambda: "never fits" in self.show("second")["queue"], "it says that it never fits", second)
        (self.folder / "ws/quotas.yml").write_text("damaged")
        self.wait_for(lambda: "quotas.yml:1:1" in self.show("second")["queue"], "it says that the file is damaged", second)
        (self.folder / "ws/quotas.yml").unlink()
        self.end(second)
        self.lockstep("quota", "set", FAMILY, "--limit", "1")
        self.assertEqual(self.usage(), (4, 1, 0))
        self.assertEqual(self.status("first"), "Running")
        self.go("first")
        self.end(first)

    def test_low_priority_cores_are_counted_apart_and_are_not_held_up(self):
        self.lockstep("quota", "set", FAMILY, "--limit", "2", "--tier", "low_priority")
        first = self.start_and_wait("first", nodes=2)
        second = self.start_queued("second", nodes=1)
        self.run_job("low", "true", nodes=1, compute="spare")
        self.assertIn("low_priority cores", self.run_job("low-2", "true", nodes=2, compute="spare", code=2))
        self.go("first")
        self.end(first)
        self.end(second)

    def test_a_run_that_was_killed_holds_no_cores(self):
        first = self.start_and_wait("first", nodes=2)
        self.kill_supervisor_and_keeper()
        self.assertEqual(self.usage(), (0, 4, 0))
        self.end(first, code=1)
        self.run_job("second", "true", nodes=2)

    def test_a_run_that_waits_can_be_canceled(self):
        first = self.start_and_wait("first", nodes=2)
        second = self.start_queued("second", nodes=1)
        self.lockstep("job", "cancel", "second")
        self.end(second, code=1)
        self.assertEqual(self.status("second"), "Canceled")
        self.assertEqual(self.usage(), (4, 4, 0))
        self.go("first")
        self.end(first)


if __name__ == "__main__":
    rig.run_tests("quotas of jobs on hosts")
