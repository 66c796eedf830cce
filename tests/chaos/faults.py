"""The faults, each with what a run may say that it struck.

A fault has a scene and the computes of it where it can happen. `strike` does it, once the run has saved a checkpoint that
was drawn, and returns the names that the reason must have; `mend` makes the machines whole again, after the run has ended.
"""

import dataclasses
import shutil
import time
from collections.abc import Callable

from processes import Process

ALWAYS = "always"  # ends it, restarts or not
AGAIN = "again"  # the run fails; with a restart left it begins again and completes
MAYBE = "maybe"  # it may notice too late, or never
CANCELED = "canceled"  # the run, restarts or not
WAITS = "waits"  # the run is Queued and says why, until the machines are whole again; then it completes


@dataclasses.dataclass
class Fault:
    name: str
    scene: str
    computes: tuple
    ends: str
    reasons: tuple  # regular expressions; {node} and {rank} stand for those that were struck
    strike: Callable
    mend: Callable = lambda round_, struck: None
    slow: bool = False  # something has to time out first: not for a quick look
    before: bool = False  # strikes before the run is submitted
    with_spare: bool = False  # only with as many ranks that a node is free to take another's place


EACH = ("shared", "apart")


def of_rank(round_):
    ranks = [each for each in Process.all() if each.comm == "lockstep-train" and each.is_of(round_.run_id)]
    rank = round_.random.randrange(round_.ranks)
    process = next(each for each in ranks if each.environment["OMPI_COMM_WORLD_RANK"] == str(rank))
    return {"rank": rank, "node": round_.scene.node_of(process)}, process


def kill_rank(round_):
    struck, process = of_rank(round_)
    process.kill()
    return struck


def named(round_, *comms):
    return [each for each in Process.all() if each.comm in comms and each.is_of(round_.run_id)]


def kill_named(*comms):
    def strike(round_):
        found = named(round_, *comms)
        assert len(found) == len(comms), found
        for each in found:
            each.kill()
        return {}
    return strike


def on_a_node(round_, comm, mark):
    """The process of the run on a node that is drawn."""
    node = round_.random.choice(round_.nodes_of_run())
    found = [each for each in Process.all() if each.comm == comm and mark in each.words and round_.scene.node_of(each) == node]
    assert len(found) == 1, (node, found)
    return node, found[0]


def kill_agent(round_):
    node, process = on_a_node(round_, "lockstep-entryp", " --agent")
    process.kill()
    return {"node": node}


def kill_orted(round_):
    node, process = on_a_node(round_, "orted", "")
    process.kill()
    return {"node": node}


def kill_session(round_):
    """sshd's process of the agent's connection."""
    node, process = on_a_node(round_, "lockstep-entryp", " --agent")
    while process.comm != "sshd":
        process = Process(process.parent)
    process.kill()
    return {"node": node}


def cut(round_):
    node = round_.random.choice(round_.nodes_of_run())
    round_.scene.hosts.cut(node)
    return {"node": node}


def cut_for_a_moment(round_):
    struck = cut(round_)
    time.sleep(round_.random.uniform(0.5, 4))  # how long the link is down is the fault itself
    round_.scene.hosts.join(struck["node"])
    return struck


def join(round_, struck):
    """The host is back; what it still has of the run ends by itself."""
    round_.scene.hosts.join(struck["node"])


def power_off(round_):
    node = round_.random.choice(round_.nodes_of_run())
    round_.scene.hosts.cut(node)
    round_.scene.hosts.kill(node)
    return {"node": node}


def power_on(round_, struck):
    round_.scene.hosts.revive(struck["node"])


def fill_workspace(round_):
    """Nothing more fits into the small file system, where the workspace is."""
    with open(round_.scene.small / "filler", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 12))
        except OSError:
            return {}


def empty_workspace(round_, _):
    (round_.scene.small / "filler").unlink(missing_ok=True)


# A tmpfs takes no size below what it has, so what is on it goes down to the page.
SHRINK = ("used=$(df --output=used -k \"$1\" | tail -1); mount -o remount,size=$((used))k \"$1\"")


def fill_node(round_):
    node = round_.nodes_of_run()[0]  # whose rank saves
    round_.scene.on(node, ["bash", "-ec", SHRINK, "bash", round_.scene.scratch])
    return {"node": node}


def empty_node(round_, struck):
    round_.scene.on(struck["node"], ["mount", "-o", "remount,size=50%", round_.scene.scratch])


def node_stop(round_):
    node = round_.random.choice(round_.nodes_of_run())
    round_.scene.cluster("node-stop", round_.scene.box, node)
    return {"node": node}


def node_start(round_, struck):
    round_.scene.cluster("node-start", round_.scene.box, struck["node"])


def kill_slurmd(round_):
    node = round_.random.choice(round_.nodes_of_run())
    round_.scene.slurmd(node).kill()
    return {"node": node}


def preempt(round_):
    nodes = len(round_.scene.nodes)
    round_.scene.slurm("srun", "--partition=dedicated", f"--nodes={nodes}", "--exclusive", "true")
    return {}


def cancel_job(round_):
    round_.scene.slurm("scancel", f"--name=lockstep-{round_.run_id}")
    return {}


def resume_is(script):
    """Slurm calls this instead of what starts cloud nodes."""
    def strike(round_):
        program = round_.scene.box / "lockstep/bin/resume"
        shutil.copy2(program, program.with_name("resume.good"))
        program.write_text(f"#!/bin/sh\n{script}\n")
        return {}
    return strike


def resume_again(round_, _):
    program = round_.scene.box / "lockstep/bin/resume"
    program.with_name("resume.good").replace(program)
    of_cloud = lambda: round_.scene.slurm("sinfo", "--noheader", "--Node", "--partition=cloud", "--format=%N %t %E").splitlines()  # noqa: E731
    round_.wait_for(lambda: all("lockstep: " in line for line in of_cloud() if "down" in line), "what is down is so by us")
    states = round_.scene.slurm("sinfo", "--noheader", "--Node", "--partition=cloud", "--format=%N %t").splitlines()
    for node in (line.split()[0] for line in states if "down" in line or "drain" in line):
        round_.scene.slurm("scontrol", "update", f"nodename={node}", "state=resume")


LOST = r"{node} was lost: "
KILLED = r"rank {rank} on {node} was killed by signal 9"
LAUNCHER = r"the ranks' launcher was killed by signal 9"
NODE_FAILED = (LOST, r"its Slurm job lost a node.*", r"communication with a remote daemon.* {node}", r"its node {node} ")
NO_NODE = r"others were asked for, because a node did not come \(c[12]: "
FULL = r"No space left on device|the disk is full on "

FAULTS = [
    *(Fault(name, scene, EACH, ends, reasons, strike) for scene in ("hosts", "box") for name, ends, reasons, strike in (
        ("rank", AGAIN, (KILLED,), kill_rank),
        ("mpirun", AGAIN, (LAUNCHER,), kill_named("mpirun")),
        ("supervisor", ALWAYS, (r"^the supervisor was killed",), kill_named("lockstep-superv")),
        ("keeper", ALWAYS, (r"^the keeper was killed",), kill_named("lockstep-keeper")),
        ("both", ALWAYS, (r"^supervisor and keeper were killed",), kill_named("lockstep-superv", "lockstep-keeper")),
        ("orted", AGAIN, (r"lost communication with a remote daemon.* {node}", LOST), kill_orted))),
    # With shared files nothing is lost with an agent, unless the run goes on for so long that it is ended.
    *(Fault("agent", scene, (compute,), ends, (LOST,), kill_agent) for scene in ("hosts", "box")
      for compute, ends in (("shared", MAYBE), ("apart", AGAIN))),
    Fault("sshd-of-agent", "hosts", EACH, AGAIN, (LOST,), kill_session),
    Fault("cut", "hosts", EACH, AGAIN, (r"remote daemon.* {node}", LOST), cut, join, slow=True, with_spare=True),
    Fault("cut-for-a-moment", "hosts", EACH, MAYBE, (r"remote daemon.* {node}", LOST), cut_for_a_moment, slow=True),
    Fault("power", "hosts", EACH, AGAIN, (r"remote daemon.* {node}", LOST), power_off, power_on, slow=True, with_spare=True),
    *(Fault("disk-of-node", scene, ("apart",), AGAIN, (r"disk is full on {node}: ", r"No space left"), fill_node, empty_node,
            with_spare=True) for scene in ("hosts", "box")),
    *(Fault("disk-of-workspace", scene, (compute,), ALWAYS, (FULL,), fill_workspace, empty_workspace)
      for scene, compute in (("hosts", "apart"), ("box", "apart"), ("box", "shared"))),
    Fault("node-stop", "box", EACH, AGAIN, NODE_FAILED, node_stop, node_start, slow=True, with_spare=True),
    Fault("slurmd", "box", EACH, MAYBE, NODE_FAILED, kill_slurmd, node_start, slow=True),
    Fault("scancel", "box", EACH, CANCELED, (r"its Slurm job was canceled",), cancel_job),
    Fault("preempted", "box", ("low",), AGAIN, (r"preempted for the 1\. time",), preempt),
    Fault("resume-fails", "box", ("cloud",), WAITS, (NO_NODE,), resume_is("exit 1"), resume_again, slow=True, before=True),
    Fault("node-never-comes", "box", ("cloud",), WAITS, (NO_NODE,), resume_is("exit 0"), resume_again, slow=True, before=True),
]
