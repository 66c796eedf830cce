#!/usr/bin/env python3
"""One random fault after the other, while runs train on several nodes: each run ends with the weights of one that nobody
disturbed, or as Failed with a reason that names what struck it; and nothing of it is left.

    chaos_test.py BUILD-FOLDER                     5 rounds of faults that take seconds
    chaos_test.py BUILD-FOLDER --rounds 50         of all faults, also those that have to time out (LOCKSTEP_KILL_ROUNDS)
    chaos_test.py BUILD-FOLDER --seed 7            others (LOCKSTEP_SEED)
    chaos_test.py BUILD-FOLDER --round 3           the third one of these alone
    chaos_test.py BUILD-FOLDER --fault cut         that one alone, on each compute where it can happen, with and without restarts
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import re
import sys
import time
import typing
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import jobs  # noqa: E402
import scenes  # noqa: E402
from faults import AGAIN, ALWAYS, CANCELED, FAULTS, MAYBE, WAITS  # noqa: E402
from jobs import DATA  # noqa: E402
from processes import Process  # noqa: E402

EPOCHS = {2: 8, 3: 3}  # by ranks: some seconds of training
EVERY = 25  # steps from checkpoint to checkpoint


def steps(ranks):
    return EPOCHS[ranks] * 60000 // 240


def training(ranks):
    # Three ranks add up in another order on one machine than on several, unless they are told how.
    return (f"lockstep-train --model mlp --layers 32 --data {DATA} --epochs {EPOCHS[ranks]} --batch-size 240 --seed 5 "
            f"--checkpoint-every {EVERY} --log-every 100 --tensorboard none --overlap on")


LIMIT_S = 150
LOSS_TOLERANCE = 0.05
SETTINGS = ("distribution: {type: mpi}\nenvironment_variables: {OMP_NUM_THREADS: '1', LOCKSTEP_SYSTEM_METRICS: '0'}\n"
            "experiment_name: chaos\n")


class Undisturbed(typing.NamedTuple):
    weights: bytes
    loss: float


class Round(jobs.JobCase):
    """Seed and number say all of what happens, but for the moment's luck."""

    def __init__(self, session, number, fault=None, compute=None, restarts=None):
        super().__init__("strike_and_look")
        self.session, self.number = session, number
        self.random = random.Random(f"{session.seed}:{number}")
        self.fault = fault or session.deal(number)
        self.compute = compute or self.random.choice(self.fault.computes)
        self.restarts = self.random.choice([0, 2]) if restarts is None else restarts
        self.elastic = self.restarts > 0 and self.random.choice([False, True])
        needs_spare = self.fault.with_spare and not self.elastic
        self.ranks = 2 if needs_spare or self.compute == "cloud" else self.random.choice([2, 3])
        self.step = 0 if self.fault.before else EVERY * self.random.randrange(1, steps(self.ranks) // EVERY // 3)
        self.run_id = f"chaos-{session.seed}-{number}-{os.getpid()}"
        self.said, self.struck, self.history = "", {}, []
        self.mended = False

    def __str__(self):
        return (f"round {self.number} of seed {self.session.seed}: {self.fault.name} on {self.fault.scene}/{self.compute} from step "
                f"{self.step} on, {self.ranks} ranks, --max-restarts {self.restarts}{', --elastic' * self.elastic}")

    def shortDescription(self):
        return None

    def setUp(self):
        self.scene = self.session.scene(self.fault.scene)
        small = self.fault.name == "disk-of-workspace"
        self.begin(self.scene.folder / ("small" if small else "rounds") / str(self.number))
        self.lockstep_program = self.scene.lockstep
        for name, engine in self.scene.definitions():
            definition = self.folder / f"{name}.yml"
            definition.write_text(f"name: {name}\n{engine}\n")
            self.lockstep("compute", "create", "-f", definition)

    def popen(self, argv, **options):
        return self.scene.popen(argv, **options)

    # What faults ask.
    def nodes_of_run(self):
        return json.loads((self.run_folder(self.run_id) / "plan.json").read_text())["nodes"]

    def processes(self):
        return [each for each in Process.all() if each.is_of(self.run_id)]

    def steps_saved(self):
        try:
            found = list(self.run_folder(self.run_id).glob("checkpoints/step-*/manifest.json"))
        except FileNotFoundError:  # one was removed while we looked
            return self.steps_saved()
        return [int(each.parent.name.split("-")[1]) for each in found]

    def strike_and_look(self):
        try:
            self.strike()
            self.expect_the_end()
            self.expect_nothing_left()
        except BaseException:
            self.show_traces()
            raise
        finally:
            for each in self.processes():  # the next round is not to suffer from it
                each.kill()

    def strike(self):
        struck = self.fault.strike(self) if self.fault.before else None
        try:
            process = self.start(self.run_id, training(self.ranks), "--max-restarts", self.restarts, *["--elastic"] * self.elastic,
                                 nodes=self.ranks, compute=self.compute, more=SETTINGS)
            if struck is None:
                self.wait_for(lambda: any(step >= self.step for step in self.steps_saved()), f"it has saved step {self.step}", process)
                self.assertLess(max(self.steps_saved()), steps(self.ranks), "the fault would come too late: the training is too short")
                struck = self.fault.strike(self)
            self.struck = struck
            begun = time.monotonic()
            if self.fault.ends == WAITS:
                self.wait_for(self.says_why_it_waits, "it says why it waits", process, deadline_s=LIMIT_S)
                self.mend()
            self.said, _ = process.communicate(timeout=LIMIT_S)
            self.session.tell(self, f"ended {time.monotonic() - begun:.1f} s later")
        finally:
            self.mend()
        self.lockstep("job", "list")  # whoever comes next closes what nobody owns

    def mend(self):
        if not self.mended:
            self.mended = True
            self.fault.mend(self, self.struck)

    def says_why_it_waits(self):
        queue = self.run_folder(self.run_id) / "queue.txt"
        said = queue.read_text() if queue.exists() else ""
        return any(re.search(each, said) for each in self.fault.reasons)

    def expect_the_end(self):
        job = self.show(self.run_id)
        self.history = [f"{each['status']}: {each['reason'] or ''}" for each in job["state_history"]]
        self.session.tell(self, " | ".join(each for each in self.history if not each.endswith(": ")))
        told = "\n".join(each["reason"] or "" for each in job["state_history"])
        completed = job["status"] == "Completed"
        if not completed:
            self.assertEqual(job["status"], "Canceled" if self.fault.ends == CANCELED else "Failed")
        if self.fault.ends in (ALWAYS, CANCELED) or (self.fault.ends == AGAIN and self.restarts == 0 and self.fault.name != "preempted"):
            self.assertFalse(completed, "it can't have completed")
        if self.fault.ends == AGAIN and self.restarts > 0 and (self.elastic or self.ranks < scenes.NODES):
            self.assertTrue(completed, "with restarts and nodes left it completes")
        if self.fault.ends == WAITS:
            self.assertTrue(completed, "it had only to wait")
        elif self.fault.ends != MAYBE or not completed:
            reasons = [each.format(**self.struck) for each in self.fault.reasons]
            self.assertTrue(any(re.search(each, told, re.MULTILINE) for each in reasons), f"one of {reasons} in:\n{told}")
        if completed and not re.search(r"^Running: with \d of \d nodes", "\n".join(self.history), re.MULTILINE):
            self.assertEqual(self.weights(self.run_id), self.session.undisturbed(self.ranks).weights, "the weights differ")
        elif completed:  # sums over fewer ranks round in other places
            loss, wanted = job["metrics"]["test_loss"], self.session.undisturbed(self.ranks).loss
            self.assertLess(abs(loss - wanted), LOSS_TOLERANCE * wanted)

    def expect_nothing_left(self):
        self.wait_for(lambda: not self.processes(), lambda: f"these processes are left: {self.processes()}", deadline_s=LIMIT_S)
        self.wait_for(lambda: not self.scene.still_there(), lambda: f"this is left:\n{self.scene.still_there()}", deadline_s=LIMIT_S)
        self.assertNotIn(self.run_id, pathlib.Path("/proc/self/mounts").read_text())
        anywhere = self.compute if self.compute == "apart" else "shared"
        said = self.run_job(f"{self.run_id}-all", "hostname", nodes=scenes.NODES, compute=anywhere, more="distribution: {type: mpi}\n")
        self.assertEqual(sorted(self.log(f"{self.run_id}-all", rank).strip() for rank in range(scenes.NODES)), self.scene.nodes, said)
        slots = self.folder / "runtime/slots.json"
        self.assertNotIn(self.run_id, slots.read_text() if slots.exists() else "")

    def show_traces(self):
        print(f"\n{self}\nstruck {self.struck}\n" + "\n".join(self.history))
        print(f"again, alone: {sys.argv[0]} {self.session.build} {self.again}")
        for log in sorted(self.run_folder(self.run_id).glob("logs/*.log")):
            lines = log.read_text(errors="replace").splitlines()
            print(f"--- the last of {log.name}:", *lines[-30 if log.name == "system.log" else -8:], sep="\n")
        print(f"--- the command said:\n{self.said[-2000:]}", flush=True)

    @property
    def again(self):
        options = f"--seed {self.session.seed} --round {self.number}"
        return options + (" --all-faults" if self.session.all_faults else "")


class Session:
    """What all rounds have in common."""

    def __init__(self, build, seed, all_faults, verbose, stack):
        self.build, self.seed, self.all_faults, self.verbose = build, seed, all_faults, verbose
        self._stack, self._scenes, self._undisturbed = stack, {}, {}

    def deal(self, number):
        """Each fault comes once before any comes again."""
        faults = [each for each in FAULTS if self.all_faults or not each.slow]
        turn, place = divmod(number - 1, len(faults))
        random.Random(f"{self.seed}:turn {turn}").shuffle(faults)
        return faults[place]

    def scene(self, name):
        if name not in self._scenes:
            kind = next(each for each in (scenes.Hosts, scenes.Box) if each.name == name)
            self._scenes[name] = self._stack.enter_context(kind(self.build))
        return self._scenes[name]

    def undisturbed(self, ranks):
        """What a run on this machine comes to."""
        if ranks not in self._undisturbed:
            case = jobs.JobCase()
            case.lockstep_program = self.build / "bin/lockstep"
            case.begin()
            case.environment["LOCKSTEP_SLOTS"] = str(ranks)
            more = SETTINGS.replace("type: mpi", f"type: mpi, process_count_per_instance: {ranks}")
            case.run_job("undisturbed", training(ranks), nodes=1, compute="local", more=more)
            self._undisturbed[ranks] = Undisturbed(case.weights("undisturbed"), case.show("undisturbed")["metrics"]["test_loss"])
            case.doCleanups()
        return self._undisturbed[ranks]

    def tell(self, round_, what):
        if self.verbose:
            print(f"{round_}: {what}", flush=True)


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("LOCKSTEP_KILL_ROUNDS") or 0))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("LOCKSTEP_SEED", "20261130")))
    parser.add_argument("--round", type=int, help="this one alone")
    parser.add_argument("--all-faults", action="store_true", help="those that have to time out, too (with --rounds: always)")
    parser.add_argument("--fault", choices=sorted({each.name for each in FAULTS}))
    parser.add_argument("--scene", choices=["hosts", "box"])
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


def rounds_of(session, args):
    if args.fault:
        faults = [each for each in FAULTS if each.name == args.fault and args.scene in (None, each.scene)]
        each_way = [(fault, compute, restarts) for fault in faults for compute in fault.computes for restarts in (0, 2)]
        return [Round(session, number, *way) for number, way in enumerate(each_way, 1)]
    if args.round:
        return [Round(session, args.round)]
    return [Round(session, number) for number in range(1, (args.rounds or 5) + 1)]


def main():
    reason = scenes.missing()
    if reason:
        print(f"skipped: chaos: {reason}")
        return 77
    args = read_arguments()
    with contextlib.ExitStack() as stack:
        session = Session(args.build.resolve(), args.seed, bool(args.rounds) or args.all_faults, args.verbose, stack)
        rounds = rounds_of(session, args)
        result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(unittest.TestSuite(rounds))
        return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
