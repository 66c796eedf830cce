#!/usr/bin/env python3
"""Runs that begin again on this machine.

    again_test.py BUILD-FOLDER [TEST...]
"""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import jobs  # noqa: E402
from jobs import DATA  # noqa: E402

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
FAILS_TWICE = "echo x >> outputs/tries; echo try $(wc -l < outputs/tries); test $(wc -l < outputs/tries) = 3 || exit 5"


class Again(jobs.JobCase):
    lockstep_program = BUILD / "bin/lockstep"

    def setUp(self):
        self.begin()

    def run_alone(self, name, command, *options, **more):
        return self.run_job(name, command, *options, nodes=1, more="", **more)

    def test_a_run_that_fails_begins_again_as_often_as_it_may(self):
        said = self.run_alone("thrice", FAILS_TWICE, "--max-restarts", "2")
        self.assertIn("restart 1 of 2 after: rank 0", said)
        self.assertIn("restart 2 of 2 after: rank 0", said)
        self.assertEqual(self.log("thrice", 0), "try 1\ntry 2\ntry 3\n")
        self.assertEqual(self.show("thrice")["status"], "Completed")
        self.assertIn('"lockstep.restarts": "2"', json.dumps(self.show("thrice")))

    def test_a_run_that_fails_more_often_has_failed_with_its_last_reason(self):
        self.run_alone("twice", FAILS_TWICE, "--max-restarts", "1", code=1)
        self.assertEqual(self.log("twice", 0), "try 1\ntry 2\n")
        self.assertEqual(json.loads((self.run_folder("twice") / "state.json").read_text())["exit_code"], 5)
        self.assertEqual(self.status("twice"), "Failed")

    def test_a_run_whose_program_is_not_there_ends(self):
        said = self.run_alone("never", "true", "--max-restarts", "2", "--set", "environment_variables.PATH=/nowhere", code=1)
        self.assertIn("restart 2 of 2 after: rank 0", said)
        self.assertIn("exit code 127", said)

    def test_a_run_that_is_canceled_does_not_begin_again(self):
        process = self.start("canceled", "echo begun; sleep 1000", "--max-restarts", "5", nodes=1, more="")
        self.wait_for(lambda: "begun" in self.log("canceled", 0), "it has begun", process)
        self.lockstep("job", "cancel", "canceled")
        self.end(process, code=1)
        self.assertEqual(self.log("canceled", 0), "begun\n")
        self.assertEqual(self.status("canceled"), "Canceled")

    def test_a_trainer_that_is_killed_goes_on_from_its_checkpoint_bit_for_bit(self):
        training = f"lockstep-train --model mlp --data {DATA} --epochs 1 --checkpoint-every 50 --seed 5"
        killing = (f"test -e outputs/killed || (while [ ! -e $LOCKSTEP_RUN_DIR/checkpoints/step-00000100/manifest.json ]; do "
                   f"sleep 0.01; done; touch outputs/killed; kill -KILL $$) & exec {training}")
        self.run_alone("killed", killing, "--max-restarts", "1")
        self.run_alone("whole", training)
        self.assertIn("goes on from", self.log("killed", 0))
        self.assertEqual(self.weights("killed"), self.weights("whole"))

    def test_it_ends_wherever_its_supervisor_or_its_keeper_is_killed(self):
        for point in ("supervisor.before_restart", "supervisor.after_restart", "keeper.after_ended", "keeper.before_program:2",
                      "keeper.after_program:2", "supervisor.after_start:2"):
            with self.subTest(point):
                name = point.replace(".", "-").replace(":", "-")
                self.environment["LOCKSTEP_FAULT"] = point
                self.run_alone(name, "sleep 0.1; exit 5", "--max-restarts", "3", code=1)
                del self.environment["LOCKSTEP_FAULT"]
                self.assertEqual(self.status(name), "Failed")


if __name__ == "__main__":
    unittest.main()
