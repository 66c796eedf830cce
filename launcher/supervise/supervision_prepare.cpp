// What the supervisor has to do with the preparation that a job asks for: each node's first rank runs it
// (launcher/entrypoint/preparation.hpp), and no rank begins before all nodes are prepared.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/fault.hpp"
#include "common/file.hpp"
#include "launcher/entrypoint/preparation.hpp"
#include "launcher/plan/remote.hpp"
#include "launcher/supervise/say.hpp"
#include "launcher/supervise/supervision.hpp"

namespace lockstep::supervise {

// One that failed is never prepared: its ranks end, and the run with them.
bool Supervision::nodes_are_prepared() {
  if (plan_.preparation.empty()) return true;
  node_stages_.resize(plan_.nodes.size(), NodeStage::waits);
  for (std::size_t node = 0; node < node_stages_.size(); ++node) {
    NodeStage& stage = node_stages_[node];
    if (stage == NodeStage::prepared || stage == NodeStage::failed) continue;
    const auto seen = entrypoint::read_preparation(plan_.folder, static_cast<int>(node));
    if (!seen) continue;
    if (stage == NodeStage::waits) {
      stage = NodeStage::prepares;
      tell_of_preparation(fmt::format("preparing {}", plan_.nodes[node]));
    }
    if (!seen->exit_code) continue;
    const std::string time = duration_text(seen->ended_ms - seen->begun_ms);
    stage = *seen->exit_code == 0 ? NodeStage::prepared : NodeStage::failed;
    tell_of_preparation(stage == NodeStage::prepared ? fmt::format("{} is prepared, in {}", plan_.nodes[node], time)
                                                     : fmt::format("preparing {} failed with exit code {}, after {}",
                                                                   plan_.nodes[node], *seen->exit_code, time));
  }
  const bool all =
      std::all_of(node_stages_.begin(), node_stages_.end(), [](NodeStage each) { return each == NodeStage::prepared; });
  if (all) fault_point("supervisor.after_preparation");
  return all;
}

void Supervision::let_ranks_begin() {
  if (plan_.preparation.empty()) return;
  if (plan::sends_files(plan_) && agents_) {
    agents_->let_ranks_begin();
  } else {
    write_file_atomically(plan_.folder.begin_file(), "{}\n");
  }
  fault_point("supervisor.after_begin");
}

// Whoever follows the run reads it there. A disk that does not take it is no reason to end the run.
void Supervision::tell_of_preparation(const std::string& line) {
  say("prepare", line);
  const Fd file(::open(plan_.folder.preparing_file().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  const std::string bytes = line + "\n";
  [[maybe_unused]] const ssize_t put = file ? ::write(file.get(), bytes.data(), bytes.size()) : 0;
}

}  // namespace lockstep::supervise
