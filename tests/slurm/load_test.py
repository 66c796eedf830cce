#!/usr/bin/env python3
"""Many jobs at once in a cluster whose nodes come and go.

    load_test.py BUILD-FOLDER          20 jobs; with LOCKSTEP_KILL_ROUNDS (./x test --long) 100
"""

import json
import os
import sys
import unittest

from slurm_test import InACluster, missing

JOBS = 100 if os.environ.get("LOCKSTEP_KILL_ROUNDS") else 20
MOST_NODES = 4


class Load(InACluster):
    nodes = 1
    options = ("--cloud-nodes", str(MOST_NODES), "--idle-seconds", "2")

    def nodes_that_are_on(self):
        rows = self.slurm("sinfo", "--noheader", "--Node", "--partition=cloud", "--format=%N %t").splitlines()
        return [row.split()[0] for row in rows if not row.endswith(("~", "%", "!"))]  # off, or on the way there

    def statuses(self):
        return {each["name"]: each["status"] for each in json.loads(self.lockstep("job", "list", "--max-results", JOBS, "-o", "json"))}

    def test_all_jobs_of_a_long_queue_complete_on_few_nodes_and_none_stays_on(self):
        self.create_in("cloud", "zero", "--max-instances", MOST_NODES)
        file = self.folder / "job.yml"
        file.write_text("command: hostname\ncompute: zero\n")
        names = [f"job-{number}" for number in range(JOBS)]
        for name in names:
            self.lockstep("job", "create", "-f", file, "--name", name)

        def all_have_ended():
            self.assertLessEqual(len(self.nodes_that_are_on()), MOST_NODES)
            taken = self.slurm("squeue", "--noheader", "--states=RUNNING", "--format=%N").split()
            self.assertEqual(len(taken), len(set(taken)), f"a node has two jobs: {taken}")
            return not {"NotStarted", "Queued", "Preparing", "Running", "Finalizing"} & set(self.statuses().values())

        self.wait_for(all_have_ended, lambda: f"all have ended: {self.statuses()}", deadline_s=60 + 6 * JOBS)
        self.assertEqual(self.statuses(), {name: "Completed" for name in names})
        self.assertLessEqual({self.log(name, 0).strip() for name in names}, {f"c{number}" for number in range(1, MOST_NODES + 1)})
        self.no_job_is_left()
        self.wait_for(lambda: not self.nodes_that_are_on(), lambda: f"the nodes are off again: {self.nodes_that_are_on()}", deadline_s=90)


if __name__ == "__main__":
    reason = missing()
    if reason:
        print(f"skipped: many jobs in a Slurm cluster: {reason}")
        sys.exit(77)
    unittest.main()
