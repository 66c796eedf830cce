// Stopping a run's processes for good (design.md, "Stopping").
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/process.hpp"
#include "common/run_folder.hpp"

namespace lockstep::processes {

// Everything that belongs to the run: members of its session, descendants of `root` (0: none), and every process whose
// environment has LOCKSTEP_RUN_ID=<run_id>; never ourselves nor our ancestors. Works by /proc alone. Zombies are not
// counted: they run nothing, and are their parents' to reap. `root` may be ourselves: as a child subreaper we are the
// ancestor of everything that the run left behind.
// `session` and `root` are bare pids: pass 0 unless they are known to be the run's still (whoever finds them in a file
// checks the start time first).
std::vector<ProcessId> processes_of(const std::string& run_id, pid_t session, pid_t root);
// The same, but for processes whose LOCKSTEP_RUN_DIR is another folder: they are a run of the same name in another
// workspace.
std::vector<ProcessId> processes_of(const RunFolder& folder, pid_t session, pid_t root);

// Ranks of this machine only: those of other hosts are asked by the agent of their host.
// TERM to the ranks: to the program that saves, where one registered; else to the rank's process group.
void ask_ranks_to_stop(const RunFolder& folder);
void ask_ranks_to_save(const RunFolder& folder);  // USR1, only to programs that registered for it

inline constexpr std::int64_t kill_limit_ms = 10'000;  // what stays that long can't be killed

// KILL over everything of the run, again and again until a rescan finds none; gives up after `limit_ms` and returns
// false. Also removes the shared-memory segments that the run's mpirun left in /dev/shm and /tmp.
bool kill_all(const std::string& run_id, pid_t session, pid_t root, std::int64_t limit_ms);
// The same for the run of this folder (see processes_of), and finds those segments by the ranks' registrations too:
// also when mpirun and ranks are long dead. `launcher` is the pid that mpirun has or had (0: not known): when it died
// before its ranks came to register, only that tells which session folder was its own.
bool kill_all(const RunFolder& folder, pid_t session, pid_t root, std::int64_t limit_ms, pid_t launcher = 0);

}  // namespace lockstep::processes
