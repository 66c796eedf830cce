#!/usr/bin/env python3
"""That the kernel tests have launched every kernel that nvcc compiled, in each program that runs them.

    launches.py PTX-LIST FOLDER PROGRAM...

PTX-LIST names the PTX files, one a line. FOLDER has a file for each program, PROGRAM.txt, to which every process of it has
added its launches (tests/gpu_emulation/runtime/launches.hpp). CTest runs a process for each test; of a program of which only
some have run, nothing can be said, and a line says so.
"""

import collections
import pathlib
import re
import subprocess
import sys


def kernel_name(demangled):
    """A kernel's own: without namespaces and parameters, with template arguments."""
    return "".join(re.search(r"(\w+)(<[^()]*>)?\(", demangled.replace("lockstep::kernels::", "")).groups(""))


def compiled_kernels(ptx_files):
    mangled = [name for file in ptx_files for name in re.findall(r"\.entry (\w+)\(", file.read_text())]
    text = subprocess.run(["c++filt"], input="\n".join(mangled), capture_output=True, text=True, check=True).stdout
    return sorted(kernel_name(line) for line in text.splitlines())


def launches_in(file):
    """kernel -> launches; and "process" -> processes that have ended."""
    counts = collections.Counter()
    for line in file.read_text().splitlines() if file.exists() else []:
        name, count = line.split("\t")
        counts[name] += int(count)
    return counts


def tests_of(program):
    listed = subprocess.run([program, "--gtest_list_tests"], capture_output=True, text=True, check=True).stdout
    return sum(line.startswith("  ") and "DISABLED_" not in line for line in listed.splitlines())


def main():
    ptx_list, folder, *programs = (pathlib.Path(each) for each in sys.argv[1:])
    kernels = compiled_kernels(pathlib.Path(line) for line in ptx_list.read_text().splitlines())
    if not kernels:
        sys.exit(f"no kernels in the files of {ptx_list}")
    missing = []
    compared = 0
    for program in programs:
        launches = launches_in(folder / f"{program.name}.txt")
        if launches["process"] < tests_of(program):
            print(f"{program.name}: {launches['process']} of {tests_of(program)} tests have run: nothing is compared")
            continue
        compared += 1
        missing += [f"{program.name} has not launched {kernel}" for kernel in kernels if not launches[kernel]]
    if missing:
        sys.exit("\n".join(missing))
    print(f"{len(kernels)} kernels, each launched in {compared} of {len(programs)} programs" if compared
          else "skipped: no program has run all of its tests")  # fmt: skip


if __name__ == "__main__":
    main()
