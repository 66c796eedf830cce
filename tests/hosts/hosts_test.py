#!/usr/bin/env python3
"""Jobs on hosts that are reached by ssh: real mpirun, real ssh, hosts with processes, files and networks of their own.

    hosts_test.py BUILD-FOLDER [TEST...]
"""

import json
import pathlib
import random
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import hosts as rig  # noqa: E402
import jobs  # noqa: E402
from jobs import DATA, PYTHON, SAVES_SLOWLY  # noqa: E402

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
LOG_BY_REST = f"""{PYTHON} - <<'END'
import json, os, urllib.request
request = urllib.request.Request(os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric",
    json.dumps({{"run_id": os.environ["MLFLOW_RUN_ID"], "key": "from_" + os.environ["RANK"], "value": 7, "timestamp": 1,
                 "step": 0}}).encode(), {{"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "Content-Type": "application/json"}})
print(urllib.request.urlopen(request, timeout=20).status)
END"""


class OnHosts(jobs.JobCase):
    """A compute `lab`; `self.shared` says whether its hosts see the workspace."""

    lockstep_program = BUILD / "bin/lockstep"
    compute = "lab"
    shared = False
    network_check = True
    count = 3

    def setUp(self):
        self.begin()  # its folder is below /tmp, of which each host has its own
        self.hosts = self.enterContext(rig.Hosts(self.count, shared=self.folder if self.shared else None, hidden=[BUILD]))
        definition = self.folder / "lab.yml"
        definition.write_text(f"""name: lab
type: amlcompute
engine:
  type: hosts
  hosts: [{", ".join(self.hosts.names)}]
  ssh: {{config_file: {self.hosts.ssh_config}}}
  shared_files: {str(self.shared).lower()}
  network_check: {str(self.network_check).lower()}
""")
        self.lockstep("compute", "create", "-f", definition)

    def popen(self, argv, **options):
        return self.hosts.start(argv, **options)

    def nothing_is_left(self):
        for name in self.hosts.names:
            self.wait_for(lambda: not self.hosts.processes(name), f"nothing runs on {name}", deadline_s=60)


class Files:
    """What must hold with shared files and without."""

    def test_each_rank_runs_on_its_host_and_what_it_writes_is_in_the_run(self):
        code = self.folder / "code"
        code.mkdir()
        (code / "word.txt").write_text("from the code\n")
        data = self.folder / "data"
        data.mkdir()
        (data / "numbers.txt").write_text("1 2 3\n")
        said = self.run_job("places", "echo I am $(hostname) $RANK of $WORLD_SIZE at $NODE_RANK; cat word.txt\n"
                            "cat ${{inputs.data}}/numbers.txt; echo $RANK > outputs/of-$RANK.txt\n"
                            "echo model > ${{outputs.model}}/weights; " + LOG_BY_REST,
                            more=f"code: {code}\ndistribution: {{type: pytorch}}\n"
                                 f"inputs: {{data: {{path: {data}}}}}\noutputs: {{model: {{path: {self.folder}/kept}}}}\n")
        for rank, node in enumerate(["node-1", "node-2"]):
            self.assertIn(f"I am {node} {rank} of 2 at {rank}\nfrom the code\n1 2 3\n200\n", self.log("places", rank), said)
            self.assertEqual((self.run_folder("places") / f"outputs/of-{rank}.txt").read_text(), f"{rank}\n")
        self.assertEqual((self.folder / "kept/weights").read_text(), "model\n")
        metrics = json.loads(self.lockstep("metrics", "places", "-o", "json"))
        self.assertIn("from_0", json.dumps(metrics))
        self.assertIn("from_1", json.dumps(metrics))
        self.nothing_is_left()
        self.assertEqual(self.hosts.on("node-2", ["find", "/var/tmp/lockstep-root/runs", "-type", "f"], capture_output=True,
                                       check=False).stdout, b"")

    def test_lines_are_seen_while_the_run_goes_on(self):
        process = self.start("live", "echo begun on $(hostname); while [ ! -e go ]; do sleep 0.1; done; echo over",
                             more="distribution: {type: mpi}\n")
        self.wait_for(lambda: all("begun on" in self.log("live", rank) for rank in (0, 1)), "both ranks' lines are here", process)
        self.assertEqual(self.show("live")["status"], "Running")
        for name in ("node-1", "node-2"):
            self.hosts.on(name, ["bash", "-c", "touch /proc/$(pgrep -nf 'while \\[ ! -e go')/cwd/go"], check=True)
        self.end(process)
        self.assertEqual(self.log("live", 1), "begun on node-2\nover\n")

    def test_a_rank_that_fails_is_named_with_its_host_and_its_last_lines(self):
        said = self.run_job("fails", "if [ $RANK = 1 ]; then echo it was me; exit 7; fi; sleep 100", code=1,
                            more="distribution: {type: pytorch}\n")
        self.assertRegex(said, "rank 1 on node-2 ended with exit code 7")
        self.assertIn("it was me", said)
        self.assertEqual(json.loads((self.run_folder("fails") / "state.json").read_text())["exit_code"], 7)
        self.nothing_is_left()

    def test_ranks_that_are_canceled_save_first(self):
        # Longer than mpirun lets a rank live.
        process = self.start("saves", SAVES_SLOWLY.format(seconds=4), more="distribution: {type: mpi}\n")
        self.wait_for(lambda: all("ready" in self.log("saves", rank) for rank in (0, 1)), "both are ready", process)
        self.lockstep("job", "cancel", "saves")
        self.end(process, code=75)
        self.assertEqual([self.log("saves", rank) for rank in (0, 1)], ["ready\nsaved\n"] * 2)
        self.assertEqual(self.show("saves")["status"], "Canceled")
        self.nothing_is_left()

    def test_each_node_is_prepared_once_and_no_rank_starts_before_all_are(self):
        said = self.run_job("prepared", "echo $MESSAGE; date +%s%N", more="distribution: {type: mpi, process_count_per_instance: 2}\n"
                            "environment_variables: {MESSAGE: from the job}\n"
                            "preparation: 'echo $MESSAGE; sleep $NODE_RANK; date +%s%N'\n")
        prepared = [self.prepare_log("prepared", node).splitlines() for node in (0, 1)]
        started = [self.log("prepared", rank).splitlines() for rank in range(4)]
        self.assertEqual([lines[0] for lines in prepared + started], ["from the job"] * 6, said)
        self.assertEqual([len(lines) for lines in prepared], [2, 2])
        self.assertLess(max(int(lines[1]) for lines in prepared), min(int(lines[1]) for lines in started))
        for node in ("node-1", "node-2"):
            self.assertIn(f"preparing {node}\n", said)
            self.assertIn(f"{node} is prepared, in ", said)
        self.nothing_is_left()

    def test_a_node_that_can_not_be_prepared_fails_the_run_and_is_named_with_its_last_lines(self):
        said = self.run_job("unprepared", "echo begun", code=1, more="distribution: {type: mpi, process_count_per_instance: 2}\n"
                            "preparation: 'if [ $NODE_RANK = 1 ]; then echo no such disk; exit 9; fi'\n")
        self.assertIn("the preparation of node-2 failed with exit code 9; log: ", said)
        self.assertIn("no such disk", said)
        self.assertEqual([self.log("unprepared", rank) for rank in range(4)], [""] * 4)
        job = self.show("unprepared")
        self.assertEqual((job["status"], job["exit_code"], job["first_failed_rank"]), ("Failed", 9, None))
        self.assertEqual(job["failure_details"]["last_lines"], ["no such disk"])
        self.assertEqual(self.prepare_log("unprepared", 1), "no such disk\n")
        self.nothing_is_left()

    def test_a_cancel_ends_the_preparation(self):
        process = self.start("unwanted", "echo begun", more="distribution: {type: mpi}\npreparation: echo slow; sleep 1000\n")
        self.wait_for(lambda: all("slow" in self.prepare_log("unwanted", node) for node in (0, 1)), "both are on it", process)
        self.assertEqual(self.status("unwanted"), "Preparing")
        self.lockstep("job", "cancel", "unwanted")
        self.end(process, code=1)
        self.assertEqual(self.status("unwanted"), "Canceled")
        self.assertEqual([self.log("unwanted", rank) for rank in (0, 1)], ["", ""])
        self.nothing_is_left()

    def test_a_run_that_is_preempted_saves_and_goes_on_with_nothing_lost(self):
        training = f"lockstep-train --model mlp --data {DATA} --epochs 2 --checkpoint-every 50 --seed 5"
        more = ("distribution: {type: mpi}\nenvironment_variables: {OMP_NUM_THREADS: '1'}\n"
                "preparation: echo prepared\n")
        process = self.start("moved", training, more=more)
        self.wait_for_checkpoint("moved", process)
        self.lockstep("compute", "preempt", "moved")
        said = self.end(process)
        self.assertRegex(said, "Queued: preempted for the 1. time; nothing is lost: it goes on from checkpoint ")
        self.assertRegex(said, "Preempted: +once; nothing was lost")
        self.assertEqual([self.prepare_log("moved", node) for node in (0, 1)], ["prepared\nprepared\n"] * 2)
        tags = self.show("moved")["tags"]
        self.assertEqual((tags["lockstep.preemptions"], tags["lockstep.lost_steps"]), ("1", "0"))
        self.run_job("whole", training, "--set", "compute=local", more=more)
        self.assertEqual(self.weights("moved"), self.weights("whole"))
        self.nothing_is_left()


class SharedFiles(Files, OnHosts):
    shared = True


class OwnFiles(Files, OnHosts):
    def test_checkpoints_come_while_the_trainer_runs_and_weights_are_those_of_this_machine(self):
        training = f"lockstep-train --model mlp --data {DATA} --epochs 1 --checkpoint-every 100 --seed 5"
        more = "distribution: {type: mpi, process_count_per_instance: 1}\nenvironment_variables: {OMP_NUM_THREADS: '1'}\n"
        process = self.start("there", training, more=more)
        self.wait_for_checkpoint("there", process)
        self.end(process)
        self.run_job("here", training, "--set", "compute=local", more=more)
        self.assertEqual(self.weights("there"), self.weights("here"))


class ManyRanks(OnHosts):
    count = 4
    PRINTING = """import os, random, time
waits = random.Random(int(os.environ["RANK"]))
for number in range(20):
    time.sleep(waits.uniform(0, 0.2))
    print(number, "x" * waits.randrange(3000), flush=True)
while not os.path.exists("go"):
    time.sleep(0.1)
print("over", flush=True)
"""

    @staticmethod
    def printed(rank):
        waits, lines = random.Random(rank), []
        for number in range(20):
            waits.uniform(0, 0.2)
            lines.append(f"{number} {'x' * waits.randrange(3000)}")
        return lines

    @staticmethod
    def streamed(path):
        """By rank, its lines that have come with their ends."""
        lines = {rank: [] for rank in range(64)}
        for line in path.read_text().splitlines(keepends=True):
            if found := re.fullmatch(r"\[(\d+)\] (.*)\n", line):
                lines[int(found[1])].append(found[2])
        return lines

    def test_lines_of_64_ranks_are_streamed_whole_and_in_order_while_the_run_goes_on(self):
        code = self.folder / "code"
        code.mkdir()
        (code / "printing.py").write_text(self.PRINTING)
        job = self.folder / "many.yml"
        job.write_text(f"command: python3 printing.py\ncode: {code}\ncompute: lab\nresources: {{instance_count: 4}}\n"
                       "distribution: {type: mpi, process_count_per_instance: 16}\n")
        self.lockstep("job", "create", "-f", job, "--name", "many")
        seen = self.folder / "seen"
        with seen.open("w") as out:
            follower = self.popen([self.lockstep_program, "job", "stream", "many", "-q"], env=self.environment, stdout=out,
                                  stderr=subprocess.STDOUT)
        wanted = {rank: self.printed(rank) for rank in range(64)}
        self.wait_for(lambda: self.streamed(seen) == wanted or follower.poll() is not None, "all lines have come as they were printed",
                      deadline_s=150)
        self.assertEqual(self.streamed(seen), wanted)
        self.assertEqual(self.show("many")["status"], "Running")
        for name in self.hosts.names:
            self.hosts.on(name, ["bash", "-c", "touch /proc/$(pgrep -nf printing[.]py)/cwd/go"], check=True)
        self.assertEqual(follower.wait(timeout=120), 0, seen.read_text()[-2000:])
        self.assertEqual(self.streamed(seen), {rank: [*lines, "over"] for rank, lines in wanted.items()})
        self.nothing_is_left()


if __name__ == "__main__":
    rig.run_tests("jobs on hosts")
