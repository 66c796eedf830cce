// The life of one run. submit() makes it exist; its supervisor, a process of its own that survives the terminal, then
// takes it from NotStarted to a terminal state. docs/states.md tells who may do what when.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/file.hpp"
#include "common/process.hpp"
#include "common/run_folder.hpp"
#include "history/store/store.hpp"
#include "launcher/plan/plan.hpp"

namespace lockstep::supervise {

struct Limits {
  int stop_grace_s = 30;     // between TERM to the ranks and TERM to mpirun
  int kill_after_s = 5;      // between TERM to mpirun (or to a rank that does not save) and KILL to everything
  int max_restarts = 0;      // how often a run that failed begins again, from its last checkpoint
  bool preemptible = false;  // its nodes may be taken away: it then begins again, however often
  std::optional<int> least_nodes = {};  // with how few it may go on where lost ones can't be replaced; nullopt: all
};

// A metric of a run that was stopped and saved: from the request to the end of its last rank.
inline constexpr std::string_view stop_seconds = "stop_seconds";

struct Started {
  ProcessId supervisor;
  Fd ended;  // read end of a pipe: EOF when the supervisor is gone
};

// Creates the run (experiment, store row, run folder with job.yml and plan.json, all durable) and starts its
// supervisor in the background. When it returns the run exists and has an owner. The caller must have no other thread
// and no open Store (they do not survive fork).
Started submit(const Workspace& workspace, const plan::Plan& plan, const Limits& limits);

// Ends what dead supervisors left behind: for each unfinished run of this workspace whose owner lock is free, sweeps
// its processes, takes in its journals, and closes it with the outcome in state.json, or "supervisor and keeper were
// killed". Every command calls it; so does every live supervisor's tick. Returns how many runs it closed.
int close_abandoned_runs(const Workspace& workspace, history::Store& store);

// Asks for the end of a run: CancelRequested in the store; its supervisor does the rest. Works on abandoned runs too.
bool cancel(const Workspace& workspace, history::Store& store, const std::string& run_id, const std::string& reason);

}  // namespace lockstep::supervise
