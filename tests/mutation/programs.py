"""The tests' programs with one source changed: what is compiled anew, linked, and run. Nothing in the build folder is
touched: the changed file lies in an overlay that the compiler looks into first, and what is made from it beside it."""

from __future__ import annotations

import copy
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class DoesNotCompile(Exception):
    pass


@dataclass(frozen=True)
class Program:
    """A test program of the build. `runs`: --gtest_filter of each run, in this order. Where the tests start the program
    that has the sources, that is `changed`, and `variable` tells them where it is."""

    name: str
    tests: str
    runs: tuple[str, ...]
    cpu_s: int  # a run's limit: several times what it takes, in seconds of CPU, so that a busy machine changes nothing
    changed: str = ""
    variable: str = ""


FOLDER = "tests/gpu_emulation"
# The emulator's own tests say nothing about kernels/, and the slow ones nothing about kernels that they do not start.
OF_THE_EMULATOR = "PlantedBug*:RightKernels*:ImpossibleLaunch*:Runtime.*:Captures.*:Races*"
SLOW = "Layers.ConvolutionAgrees*:Large.*"
NOT_IN_SLOW = ("arena_math", "dropout", "max_pool", "optimizers", "relu", "softmax_cross_entropy")
KERNEL_RUNS = (f"-{SLOW}:{OF_THE_EMULATOR}", SLOW)
# A kernel is the same whatever the number of ranks.
ONE_GPU = "*.OneGpu*:*.ACheckpoint*:*.ResumedEquals*:*.TheOrderThat*"
TRAINING = Program(
    "training", f"{FOLDER}/train/test_emulated_training", (ONE_GPU, f"-{ONE_GPU}"), 60,
    f"{FOLDER}/train/lockstep-train-emulated", "LOCKSTEP_TRAIN_GPU",
)  # fmt: skip
OF_KERNELS = (
    Program("plain", f"{FOLDER}/test_gpu_emulation", KERNEL_RUNS, 20),
    Program("tsan", f"{FOLDER}/test_gpu_emulation_tsan", KERNEL_RUNS, 200),
    Program("asan", f"{FOLDER}/test_gpu_emulation_asan", KERNEL_RUNS, 60),
    TRAINING,
)
COLLECTIVES, OF_RANKS = f"{FOLDER}/collectives/test_collectives", "Watchdog.*:*RanksOnGpus*"
OF_NCCL = (
    Program("collectives", COLLECTIVES, (f"-{OF_RANKS}:EmulatedNccl.*",), 20),
    Program("ranks", COLLECTIVES, (OF_RANKS,), 20, f"{FOLDER}/collectives/gpu_rank", "LOCKSTEP_GPU_RANK"),
    TRAINING,
)
OF_RUNNER = (Program("runner", "tests/unit/runner/test_runner", ("BlockSum.*:GradientSum.*:LossBook.*:Upload.*",), 20), TRAINING)


def programs_for(file: str) -> tuple[Program, ...]:
    """Those that have the file, cheapest first."""
    if file.startswith("kernels/"):
        return OF_KERNELS
    return OF_NCCL if "/nccl/" in file else OF_RUNNER


def says_nothing_about(tests: str, file: str) -> bool:
    return (tests == SLOW and Path(file).stem in NOT_IN_SLOW) or (tests == f"-{ONE_GPU}" and file.endswith(".cu"))


class Build:
    """A build folder that Ninja made."""

    def __init__(self, folder: Path, source: Path, scratch: Path) -> None:
        self.folder, self.source, self.scratch = folder.resolve(), source, scratch
        edges = json.loads(self.ninja("-t", "compdb"))
        self.edges = {edge["output"]: edge for edge in edges}

    def beside(self, scratch: Path) -> Build:
        """The same build, with a scratch folder of its own."""
        other = copy.copy(self)
        other.scratch = scratch
        return other

    def ninja(self, *arguments: str) -> str:
        done = subprocess.run(["ninja", *arguments], cwd=self.folder, text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"ninja {' '.join(arguments)} failed:\n{done.stdout[-4000:]}{done.stderr}")
        return done.stdout

    def bring_up_to_date(self, programs: tuple[Program, ...]) -> None:
        self.ninja(*(each.tests for each in programs))
        self.readers: dict[str, set[str]] = {}  # of each file: the objects that include it, as the compiler told Ninja
        target = ""
        for line in self.ninja("-t", "deps").splitlines():
            if line.startswith("    "):
                self.readers.setdefault(os.path.realpath(line.strip()), set()).add(target)
            else:
                target = line.split(":")[0]

    def parts_of(self, output: str) -> Iterator[str]:
        """The objects of a program, those in its archives too."""
        for word in self.edges[output]["command"].split():
            if word.endswith(".o"):
                yield word
            elif word.endswith(".a") and word in self.edges and word != output:
                yield from self.parts_of(word)

    def changed_program(self, program: Program, file: str) -> Path:
        """Compiles and links what the program has of the file, which lies in the overlay. Throws DoesNotCompile."""
        output = program.changed or program.tests
        original = os.path.realpath(self.source / file)
        link = f" {self.edges[output]['command']} "
        for part in sorted(set(self.parts_of(output)) & self.readers.get(original, set())):
            compiled = str(self.scratch / part)
            self.compile(part, compiled, original, str(self.overlay / file))
            # What an archive has is not looked for there once an object of the program has it.
            link = link.replace(f" {part} ", f" {compiled} ") if f" {part} " in link else link.replace(
                " -o ", f" {compiled} -o ", 1)
        made = self.scratch / output
        made.parent.mkdir(parents=True, exist_ok=True)
        made.unlink(missing_ok=True)
        self.shell(link.replace(f" -o {output} ", f" -o {made} "))
        return made

    @property
    def overlay(self) -> Path:
        return self.scratch / "overlay"

    def compile(self, part: str, compiled: str, original: str, changed: str) -> None:
        Path(compiled).parent.mkdir(parents=True, exist_ok=True)
        edge = self.edges[part]
        command = edge["command"].replace(part, compiled).replace(" -I", f" -I{self.overlay} -I", 1)
        command = command.replace(f" -c {edge['file']}", f" -c {self.with_changed(Path(edge['file']), original, changed)}")
        # Warnings are no test, but one: an index that narrows fails CI's build (tests/gpu_emulation/CMakeLists.txt).
        command = command.replace(" -Werror ", " ")
        self.shell(command + " -Werror=conversion" if " -Wconversion " in command else command)

    def with_changed(self, compiled: Path, original: str, changed: str) -> str:
        """What to compile instead of a file: the changed one, or one that includes it where this one, as CMake's unity
        builds make them, includes the original."""
        if os.path.realpath(compiled) == original:
            return changed
        if compiled.parent.name != "Unity":
            return str(compiled)
        copy_of_it = self.scratch / compiled.name
        copy_of_it.write_text(compiled.read_text().replace(f'"{original}"', f'"{changed}"'))
        return str(copy_of_it)

    def shell(self, command: str) -> None:
        done = subprocess.run(["/bin/sh", "-c", command], cwd=self.folder, text=True, capture_output=True, check=False)
        if done.returncode != 0:
            told = done.stdout + done.stderr
            if ": error: " not in told:  # no fault of the mutant
                raise SystemExit(f"{command}\nfailed:\n{told}")
            raise DoesNotCompile(told)

    def run(self, program: Program, made: Path, file: str) -> str:
        """Empty when every test passed, else what failed: a test's name, or 'timeout in' one."""
        for tests in program.runs:
            if says_nothing_about(tests, file):
                continue
            failed = self.run_once(program, made, tests)
            if failed:
                return failed
        return ""

    def run_once(self, program: Program, made: Path, tests: str) -> str:
        environment = dict(os.environ)
        argv = [str(made)]
        if program.changed:
            argv = [str(self.folder / program.tests)]
            environment[program.variable] = str(made)
        limit = ["prlimit", f"--cpu={program.cpu_s}:{program.cpu_s + 5}"]
        with subprocess.Popen([*limit, *argv, "--gtest_fail_fast", f"--gtest_filter={tests}"], cwd=self.scratch, text=True,
                              env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                              start_new_session=True) as process:
            try:
                output = process.communicate(timeout=20 * program.cpu_s)[0]
            except subprocess.TimeoutExpired:  # it waits for something that never comes
                end_session(process.pid)
                return f"timeout in {last_test(process.communicate()[0])}"
            finally:
                end_session(process.pid)
        if process.returncode == -signal.SIGXCPU:
            return f"timeout in {last_test(output)}"
        if process.returncode == 0:
            if "[  PASSED  ]" not in output or "[  PASSED  ] 0 " in output:
                raise SystemExit(f"{' '.join(argv)} ran no test of '{tests}'")
            return ""
        return last_test(output)


def end_session(leader: int) -> None:
    """The ranks of a training outlive the test that started them."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            session = int(stat.read_text().rpartition(")")[2].split()[3])
            if session == leader:
                os.kill(int(stat.parent.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended


def last_test(output: str) -> str:
    failed = re.search(r"\[  FAILED  \] (\S+?)[, ]", output + " ")
    begun = re.findall(r"\[ RUN      \] (\S+)", output)
    return failed.group(1) if failed else begun[-1] if begun else "the program's start"
