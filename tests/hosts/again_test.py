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
from jobs import DATA, SAVES_SLOWLY  # noqa: E402

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

    def test_each_attempt_is_prepared_anew(self):
        self.run_job("thrice", FAILS_TWICE, "--max-restarts", "2", nodes=1, more="preparation: echo prepared\n")
        self.assertEqual(self.prepare_log("thrice", 0), "prepared\n" * 3)

    def test_it_ends_wherever_its_supervisor_is_killed_while_it_is_prepared(self):
        for point in ("supervisor.after_preparation", "supervisor.after_begin"):
            with self.subTest(point):
                name = point.replace(".", "-")
                self.environment["LOCKSTEP_FAULT"] = point
                self.run_job(name, "sleep 1000", nodes=2, code=1, more="distribution: {type: mpi}\npreparation: 'true'\n")
                del self.environment["LOCKSTEP_FAULT"]
                self.assertEqual(self.status(name), "Failed")

    def test_what_saving_took_is_compared_with_what_the_next_run_has_for_it(self):
        process = self.start("slow", SAVES_SLOWLY.format(seconds=2), "--set", "experiment_name=saving", nodes=1, more="")
        self.wait_for(lambda: "ready" in self.log("slow", 0), "it is ready", process)
        self.lockstep("job", "cancel", "slow")
        self.end(process, code=75)
        self.assertGreater(self.show("slow")["metrics"]["stop_seconds"], 2)
        said = self.run_alone("warned", "true", "--set", "experiment_name=saving", "--stop-grace", "1")
        self.assertRegex(said, r"note: in run slow of this experiment to save and end took 2\.\d s; --stop-grace gives 1 s: raise it")
        self.assertNotIn("--stop-grace gives", self.run_alone("fine", "true", "--set", "experiment_name=saving"))

    def test_what_can_not_be_preempted_is_told_with_the_reason(self):
        process = self.start("here", "echo begun; sleep 1000", nodes=1, more="")
        self.wait_for(lambda: self.status("here") == "Running", "it runs", process)
        self.assertIn("here can't be preempted: it runs on this machine", self.lockstep("compute", "preempt", "here", code=2))
        self.lockstep("job", "cancel", "here")
        self.end(process, code=1)
        self.assertIn("it has ended before: Canceled", self.lockstep("compute", "preempt", "here", code=2))
        self.assertIn("no run", self.lockstep("compute", "preempt", "nobody", code=3))

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
