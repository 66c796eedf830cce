// What a run on other machines has besides: its files there, an agent on each, and what they tell of its end.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>

#include <algorithm>

#include "common/clock.hpp"
#include "common/digest.hpp"
#include "common/error.hpp"
#include "common/fault.hpp"
#include "launcher/hosts/send.hpp"
#include "launcher/plan/remote.hpp"
#include "launcher/processes/mpirun_report.hpp"
#include "launcher/supervise/diagnosis.hpp"
#include "launcher/supervise/say.hpp"
#include "launcher/supervise/supervision.hpp"

namespace lockstep::supervise {

using history::RunState;

namespace {
constexpr std::int64_t time_to_start_agents_ms = 30'000;
constexpr std::int64_t mpirun_may_say_ms = 5'000;  // of a host that is gone, before we end the run ourselves
constexpr int tunnel_tries = 3;

// Below the ports that Linux takes for outgoing connections, and not the same for all runs: two machines that submit to
// one host do not know of each other.
int tunnel_port(const std::string& run_id, int attempt) {
  constexpr int first = 20'000;
  constexpr int last = 32'767;
  const auto seed = std::stoul(sha256_hex(run_id).substr(0, 7), nullptr, 16);
  return first + static_cast<int>((seed + static_cast<unsigned long>(attempt) * 7919) % (last - first + 1));
}
}  // namespace

std::optional<Ending> Supervision::go_to_hosts() {
  could_not_begin_ = false;
  try {
    std::string problem;
    if (!choose_hosts(problem)) {
      if (over()) return ending_before_start("its hosts were looked at");
      return ended(RunState::failed, problem);
    }
    fault_point("supervisor.after_hosts");
    if (plan::sends_files(plan_)) {
      hosts::send_files(
          plan_, [](const std::string& line) { say("prepare", line); },
          [this] {
            listen(0);
            return over();
          });
    }
    fault_point("supervisor.after_send");
    for (int attempt = 0; !agents_; ++attempt) {
      tunnel_ = endpoint_ ? tunnel_port(plan_.run_id, attempt) : 0;
      start_agents();
      if (wait_for_agents()) break;
      if (over()) return ending_before_start("its hosts were ready");
      const std::string loss = agents_->loss().value_or("no word from the hosts");
      agents_.reset();
      const bool port_was_taken = loss.find("cannot listen at") != std::string::npos;
      if (!port_was_taken || attempt + 1 == tunnel_tries) {
        could_not_begin_ = lost_nodes_ = true;
        return ended(RunState::failed, loss);
      }
    }
    fault_point("supervisor.after_agents");
  } catch (const Error& error) {
    if (over()) return ending_before_start("its hosts were ready");
    could_not_begin_ = true;  // a node may have gone; the next attempt looks at them anew
    return ended(RunState::failed, fmt::format("preparation failed: {}", error.what()));
  }
  return over() ? std::optional(ending_before_start("its program started")) : std::nullopt;
}

void Supervision::start_agents() {
  hosts::AgentSettings settings;
  settings.stop_grace_ms = std::int64_t{limits_.stop_grace_s} * 1000;
  Environment environment = current_environment();
  for (const auto& [name, value] : plan_.environment) environment.insert_or_assign(name, value);
  settings.sampling_interval_ms = machine::sampling_interval_ms(environment).value_or(0);
  if (endpoint_) {
    settings.tunnel = tunnel_;
    settings.port = endpoint_->port();
  }
  agents_ = std::make_unique<hosts::Agents>(plan_, settings);
}

bool Supervision::wait_for_agents() {
  const std::int64_t deadline = monotonic_ms() + time_to_start_agents_ms;
  while (!agents_->all_there() && !agents_->loss() && !over() && monotonic_ms() < deadline) listen(tick_ms);
  return agents_->all_there() && !over();
}

// mpirun notices most losses by itself, and names the node; what it does not notice in time is ended here.
void Supervision::look_at_hosts() {
  agents_->hear();
  const auto samples = agents_->take_samples();
  if (!samples.empty()) {
    try {
      store_->log_batch(plan_.run_id, samples, {}, {});
    } catch (const Error& error) {
      say("system metrics", error.what());
    }
  }
  if (!agents_->loss() || !started_ || ending_) return;
  if (lost_ms_ == 0) {
    lost_ms_ = monotonic_ms();
    say("hosts", agents_->loss().value_or(""));
  }
  if (stop_ || monotonic_ms() - lost_ms_ < mpirun_may_say_ms) return;
  stop({RunState::failed, agents_->loss().value_or("")}, OwnStop::loss);
}

// mpirun did not say which rank failed. Its nodes do. Those that were ended because of it are not to blame, unless
// there is nobody else: one that was gone before its node looked is, though nobody knows how it ended.
void Supervision::name_first_failure(Ending& ending) const {
  std::vector<RankEnd> ends = agents_->ends();
  const auto by_order = [](const RankEnd& end) {
    const int signal = end.signal.value_or(end.exit_code.value_or(0) > 128 ? *end.exit_code - 128 : 0);
    return signal == SIGTERM || signal == SIGKILL;
  };
  if (!std::all_of(ends.begin(), ends.end(), by_order)) std::erase_if(ends, by_order);
  const auto found = diagnose(plan_.folder, ends, ending.outcome.exit_code.value_or(1) << 8, "");
  if (!found.rank) return;
  ending.outcome.reason = found.reason;
  ending.outcome.first_failed_rank = found.rank;
  ending.failure = found.log;
  if (found.exit_code || found.signal) {
    ending.outcome.exit_code = found.exit_code;
    ending.outcome.signal = found.signal;
  }
}

// An agent that is left alone asks its ranks to leave, which may look as if they had been asked to by us. And what a
// lost node had not sent is missing here.
void Supervision::fail_for_loss(Ending& ending) const {
  const bool left_alone = ending.state == RunState::canceled && (!stop_ || own_stop_ == OwnStop::loss);
  const bool files_are_missing = ending.state == RunState::completed && plan::sends_files(plan_);
  if (!left_alone && !files_are_missing) return;
  ending.state = RunState::failed;
  ending.outcome.reason =
      left_alone ? "its ranks have saved and left" : "its program ended well, but not all that it wrote there has come";
}

// The program has ended. Its files come, its nodes are left clean; then its end can be told with all that is known.
void Supervision::leave_hosts(Ending& ending) {
  agents_->finish();
  while (!agents_->all_done()) listen(tick_ms);
  fault_point("supervisor.after_files");
  const bool by_itself = ending.state == RunState::failed && !stop_;
  if (const auto found = by_itself ? diagnose_preparation(plan_.folder) : std::nullopt) {
    ending.outcome = {found->reason, found->exit_code, std::nullopt, std::nullopt};
    ending.failure = found->log;
  } else if (by_itself && !agents_->loss() && !ending.outcome.first_failed_rank && ending.outcome.exit_code &&
             ending.outcome.exit_code != processes::lost_daemon_code) {
    name_first_failure(ending);
  } else if (ending.state == RunState::failed && ending.failure && ending.outcome.first_failed_rank) {
    const RankEnd end{*ending.outcome.first_failed_rank, ending.outcome.exit_code, ending.outcome.signal};
    const auto again =
        diagnose_rank(plan_.folder, end, agents_->ends(), ending.outcome.reason.find("MPI_Abort") != std::string::npos);
    ending.outcome.reason = again.reason;
    ending.outcome.first_failed_rank = again.rank;
    ending.failure = again.log;
  }
  if (allocation_ && !stop_ && ending.state != RunState::completed) {
    const std::string became = slurm::what_became_of(plan::slurm_of(plan::remote_of(plan_).compute), allocation_->id());
    preempted_ = became == "was preempted";
    lost_nodes_ = lost_nodes_ || preempted_ || became == "lost a node";
    if (became == "was canceled") ending.state = RunState::canceled;  // whoever did that meant the run
    if (!became.empty()) ending.outcome.reason = fmt::format("its Slurm job {}; {}", became, ending.outcome.reason);
  }
  const auto loss = agents_->loss();
  lost_nodes_ = lost_nodes_ || loss || ending.outcome.exit_code == processes::lost_daemon_code;
  if (loss) fail_for_loss(ending);
  if (ending.state == RunState::failed && !agents_->full_disks().empty()) {
    ending.outcome.reason +=
        fmt::format("; the disk is full on {}: free space where {} lies", fmt::join(agents_->full_disks(), ", "),
                    plan::remote_of(plan_).folder.root().string());
  }
  if (ending.state == RunState::failed && loss && ending.outcome.reason.find(*loss) == std::string::npos) {
    ending.outcome.reason = fmt::format("{}; {}", *loss, ending.outcome.reason);
  }
  for (const auto& node : agents_->unclean()) {
    ending.outcome.reason += fmt::format("{}some of its processes on {} could not be killed",
                                         ending.outcome.reason.empty() ? "" : "; ", node);
  }
  agents_->dismiss();
  agents_.reset();
}

}  // namespace lockstep::supervise
