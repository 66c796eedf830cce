#include "launcher/supervise/preemption.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/file.hpp"

namespace lockstep::supervise {

using history::RunState;

// "", or why not.
static std::string why_not(const history::Run& run) {
  if (run.reported) return "its program was started by somebody else, who alone can stop it";
  if (history::is_terminal(run.state)) return fmt::format("it has ended before: {}", history::name_of(run.state));
  if (run.compute.empty() || run.compute == "local") {
    return "it runs on this machine, where nothing takes a run's place away from it; a run on hosts or in a Slurm "
           "cluster can be preempted";
  }
  if (run.state == RunState::cancel_requested) return "it was asked to stop, and will not begin again";
  if (run.state != RunState::running) {
    return fmt::format("it is {}: only a run that is Running has nodes that can be taken away",
                       history::name_of(run.state));
  }
  return "";
}

bool request_preemption(const Workspace& workspace, history::Store& store, const std::string& run_id,
                        const std::string& reason) {
  const RunFolder folder = workspace.run(run_id);
  if (const std::string no = why_not(store.get_run(run_id)); !no.empty()) {
    throw bad_input("{} can't be preempted: {}", run_id, no);
  }
  if (preemption_is_requested(folder)) return false;
  const nlohmann::json request{{"v", 1}, {"reason", reason}, {"asked_ms", now_ms()}};
  write_file_durably(folder.preempt_file(), request.dump() + "\n");
  const history::Run now = store.get_run(run_id);
  if (history::is_terminal(now.state)) {
    forget_preemption_request(folder);
    throw bad_input("{} can't be preempted: {}", run_id, why_not(now));
  }
  return true;
}

bool preemption_is_requested(const RunFolder& folder) {
  std::error_code unseen;
  return fs::exists(folder.preempt_file(), unseen);
}

void forget_preemption_request(const RunFolder& folder) {
  std::error_code ignored;
  fs::remove(folder.preempt_file(), ignored);
}

}  // namespace lockstep::supervise
