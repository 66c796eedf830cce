// A run that begins again: after a failure, as often as it may, or because its nodes were taken away.
#include <fmt/format.h>

#include "common/error.hpp"
#include "common/fault.hpp"
#include "launcher/supervise/records.hpp"
#include "launcher/supervise/retry.hpp"
#include "launcher/supervise/say.hpp"
#include "launcher/supervise/supervision.hpp"

namespace lockstep::supervise {

using history::RunState;

// Its files are here and its nodes are clean when this returns a reason; the ending is told in full otherwise, too.
std::optional<std::string> Supervision::why_again(Ending& ending) {
  if (ending.state == RunState::completed || (stop_ && !stopped_for_loss_) || keeper_gone()) return std::nullopt;
  if (restarts_ >= limits_.max_restarts && !limits_.preemptible) return std::nullopt;
  if (agents_) leave_hosts(ending);
  ending_ = ending;  // if nothing more can be done, it ends so
  if (cancel_was_requested()) return std::nullopt;
  if (stopped_for_loss_ && restarts_ < limits_.max_restarts) {
    stop_.reset();
    stopped_for_loss_ = false;
  }
  if (over()) return std::nullopt;
  if (preempted_) {
    ++preemptions_;
    preempted_ = false;
    return fmt::format("preempted for the {}. time; it waits for nodes, and goes on from its last checkpoint",
                       preemptions_);
  }
  if (ending.state != RunState::failed) return std::nullopt;  // its ranks have saved and left by themselves
  if (restarts_ >= limits_.max_restarts) return std::nullopt;
  if (!keep_room_for_ending(plan_.folder)) return std::nullopt;  // on a full disk it would fail again
  ++restarts_;
  return fmt::format("restart {} of {} after: {}", restarts_, limits_.max_restarts, ending.outcome.reason);
}

std::optional<Ending> Supervision::begin_again(const std::string& why) {
  say("supervisor", why);
  if (ending_ && read_ending(plan_.folder) != *ending_) with_retries([&] { write_ending(plan_.folder, *ending_); });
  with_retries([&] { journals_.take_all(*store_); });
  // What the last attempt left would be taken for this one's: how it ended, who its ranks were.
  std::error_code ignored;
  fs::remove(plan_.folder.state_file(), ignored);
  fs::remove_all(plan_.folder.ranks(), ignored);
  fs::create_directories(plan_.folder.ranks());
  ending_.reset();
  program_.reset();
  machine_.reset();
  started_ = false;
  lost_ms_ = 0;
  fault_point("supervisor.before_restart");
  history::Outcome reason;
  reason.reason = why;
  const RunState next = allocation_ ? RunState::queued : RunState::preparing;
  if (store_->get_run(plan_.run_id).state != next) set_state(next, reason);  // it is, if nothing could be started
  with_retries([&] {
    std::vector<history::KeyValue> tags{{"lockstep.restarts", std::to_string(restarts_)}};
    if (preemptions_ > 0) tags.push_back({"lockstep.preemptions", std::to_string(preemptions_)});
    if (store_->get_run(plan_.run_id).lifecycle == history::Lifecycle::active) {
      store_->log_batch(plan_.run_id, {}, {}, tags);
    }
  });
  fault_point("supervisor.after_restart");
  if (allocation_) {  // its nodes may be gone
    allocation_.reset();
    std::string problem;
    if (!wait_for_nodes(problem))
      return over() ? ending_before_start("it got its nodes again") : ended(RunState::failed, problem);
    set_state(RunState::preparing);
  }
  listen(0);
  return over() ? std::optional(ending_before_start("its program started again")) : std::nullopt;
}

}  // namespace lockstep::supervise
