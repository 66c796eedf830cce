// Runs for tests: a workspace, a ledger and a cache of their own; runs are submitted by commands that are processes of
// their own, so that a test can have them killed at a fault point. The test itself must pass no fault point: the first
// one that a process passes decides for it and for all that it forks.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/process.hpp"
#include "common/run_folder.hpp"
#include "history/store/store.hpp"
#include "launcher/supervise/supervisor.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::testing {

struct Scribe {
  int ranks = 2;
  std::string options;  // of tests/support/scribe.cpp, beside --ack
};

class RunRig {
 public:
  explicit RunRig(int machine_slots = 4);
  ~RunRig();
  RunRig(const RunRig&) = delete;
  RunRig& operator=(const RunRig&) = delete;

  const Workspace& workspace() const { return workspace_; }
  fs::path ledger_folder() const { return folder_ / "runtime"; }
  fs::path folder() const { return folder_.path(); }

  plan::Plan scribe_plan(const std::string& run_id, const Scribe& scribe, const Workspace& workspace);
  plan::Plan command_plan(const std::string& run_id, const std::string& command, int ranks, const Workspace& workspace);

  // A command that submits, and ends when the run's supervisor does.
  struct Command {
    pid_t pid = 0;
    ProcessId supervisor;  // pid 0: the command died before there was one
  };
  Command submit(const plan::Plan& plan, const std::string& fault = "");
  Command submit(const plan::Plan& plan, const Workspace& workspace, const std::string& fault = "");
  // Waits for the end of a command: its status as waitpid gives it; it exits with 128 + 9 when its supervisor was
  // killed. `still_running` when it does not end.
  int wait_for(const Command& command);
  static constexpr int still_running = -1;

  // Does something as a command of its own; waitpid's status.
  int in_command(const std::function<int()>& body, const std::string& fault = "");
  // Any later command: closes what was abandoned. Again and again until the run has ended, as `lockstep run` does.
  int close_abandoned(const std::string& fault = "");  // once; waitpid's status, 0 if it did its work
  pid_t start_closing();                               // the same, not waited for; exits with the number it closed
  bool wait_until_ended(const std::string& run_id);
  void request_cancel(const std::string& run_id, const std::string& reason);

  // Each with a store of its own, closed again at once: none may be open while a command is forked.
  history::Run run(const std::string& run_id);
  bool has_run(const std::string& run_id);
  std::vector<history::RunState> states(const std::string& run_id);
  bool wait_for_state(const std::string& run_id, history::RunState state);

  bool wait_until_unowned(const std::string& run_id);  // until neither supervisor nor keeper holds the owner lock
  ProcessId keeper_of(const Command& command);         // pid 0: not there
  ProcessId program_of(const ProcessId& keeper);       // mpirun
  std::vector<ProcessId> processes(const std::string& run_id);  // everything with LOCKSTEP_RUN_ID, by /proc

  // What was acknowledged and is not in the logs, or not exactly once in the store; empty: nothing is missing.
  std::vector<std::string> missing(const std::string& run_id, int ranks);
  bool wait_for_lines(const std::string& run_id, int count);  // until so many things have been acknowledged
  fs::path ack_file(const std::string& run_id) const { return folder_ / (run_id + ".ack"); }

 private:
  pid_t fork_command(const std::string& fault, const std::function<int()>& body);

  int machine_slots_;
  TemporaryFolder folder_;
  Workspace workspace_;
  std::vector<pid_t> commands_;
};

}  // namespace lockstep::testing
