// A run that begins again: after a failure, as often as it may, or because its nodes were taken away.
#include <fmt/format.h>

#include <algorithm>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/fault.hpp"
#include "launcher/supervise/lost_work.hpp"
#include "launcher/supervise/preemption.hpp"
#include "launcher/supervise/records.hpp"
#include "launcher/supervise/retry.hpp"
#include "launcher/supervise/say.hpp"
#include "launcher/supervise/supervision.hpp"

namespace lockstep::supervise {

using history::RunState;

// Its files are here and its nodes are clean when this returns a reason; the ending is told in full otherwise, too.
std::optional<Supervision::Again> Supervision::why_again(Ending& ending) {
  if (own_stop_ == OwnStop::preemption && ending.outcome.exit_code == 0) {  // its last step was done by then
    ending.state = RunState::completed;
    ending.outcome.reason.clear();
  }
  if (ending.state == RunState::completed && own_stop_ != OwnStop::none) {
    stop_.reset();
    own_stop_ = OwnStop::none;
  }
  const bool asked_to_end = stop_ && own_stop_ == OwnStop::none;
  const bool may_lack_files = ending.state == RunState::completed && agents_ && restarts_ < limits_.max_restarts;
  if (may_lack_files && !asked_to_end && !keeper_gone()) leave_hosts(ending);  // a good end without its files is none
  if (ending.state == RunState::completed || asked_to_end || keeper_gone()) return std::nullopt;
  if (restarts_ >= limits_.max_restarts && !limits_.preemptible) return std::nullopt;
  if (agents_) leave_hosts(ending);
  ending_ = ending;  // if nothing more can be done, it ends so
  if (cancel_was_requested()) {
    if (own_stop_ != OwnStop::none) stop({RunState::canceled, reason_of_request(*store_, plan_.run_id)});
    return std::nullopt;
  }
  const OwnStop ours = own_stop_;
  if (ours == OwnStop::preemption || (ours == OwnStop::loss && restarts_ < limits_.max_restarts)) {
    stop_.reset();
    own_stop_ = OwnStop::none;
  }
  if (over()) return std::nullopt;
  if (preempted_ || ours == OwnStop::preemption) {
    ++preemptions_;
    lost_nodes_ = true;  // others who wait may have them now
    preempted_ = false;
    return Again{fmt::format("preempted for the {}. time", preemptions_), true};
  }
  if (ending.state != RunState::failed) return std::nullopt;  // its ranks have saved and left by themselves
  if (restarts_ >= limits_.max_restarts) return std::nullopt;
  if (!keep_room_for_ending(plan_.folder)) return std::nullopt;  // on a full disk it would fail again
  ++restarts_;
  return Again{fmt::format("restart {} of {} after: {}", restarts_, limits_.max_restarts, ending.outcome.reason)};
}

std::optional<Ending> Supervision::begin_again(const Again& again) {
  if (ending_ && read_ending(plan_.folder) != *ending_) with_retries([&] { write_ending(plan_.folder, *ending_); });
  with_retries([&] { journals_.take_all(*store_); });
  with_retries([&] { note_lost_steps(); });
  with_retries([&] { note_stop_time(); });
  const LostWork lost = lost_work(plan_.folder, journals_.last_step(), ending_ ? ending_->ended_ms : now_ms());
  if (again.elsewhere) lost_unsaved_ms_ += lost.millis.value_or(0);
  if (const auto last = journals_.last_step()) reached_step_ = last;
  journals_.begin_attempt();
  history::Outcome reason;
  reason.reason = again.elsewhere || lost.steps ? fmt::format("{}; {}", again.why, lost.text) : again.why;
  say("supervisor", reason.reason);
  if (whole_) plan_ = *whole_;  // it may get all its nodes now
  // What the last attempt left would be taken for this one's: how it ended, who its ranks were, what was prepared.
  std::error_code ignored;
  fs::remove(plan_.folder.state_file(), ignored);
  fs::remove_all(plan_.folder.ranks(), ignored);
  fs::create_directories(plan_.folder.ranks());
  for (std::size_t node = 0; node < plan_.nodes.size(); ++node) {
    fs::remove(plan_.folder.node(static_cast<int>(node)) / "prepared.json", ignored);
  }
  ending_.reset();
  program_.reset();
  machine_.reset();
  started_ = false;
  running_ = false;
  node_stages_.clear();
  lost_ms_ = 0;
  stop_asked_ms_ = 0;
  fault_point("supervisor.before_restart");
  const RunState next = allocation_ || again.elsewhere ? RunState::queued : RunState::preparing;
  if (store_->get_run(plan_.run_id).state != next) set_state(next, reason);  // it is, if nothing could be started
  std::vector<history::KeyValue> tags{{"lockstep.restarts", std::to_string(restarts_)}};
  if (preemptions_ > 0) tags.push_back({"lockstep.preemptions", std::to_string(preemptions_)});
  if (preemptions_ > 0 && lost.millis) {
    tags.push_back({"lockstep.lost_seconds", fmt::format("{:.1f}", static_cast<double>(lost_unsaved_ms_) / 1000)});
  }
  with_retries([&] { record({}, tags); });
  forget_preemption_request(plan_.folder);
  fault_point("supervisor.after_restart");
  return wait_for_a_place_again(again.elsewhere);
}

std::optional<Ending> Supervision::wait_for_a_place_again(bool elsewhere) {
  if (allocation_ || elsewhere) {
    std::string problem;
    const auto job = allocation_ ? allocation_->job_id() : std::nullopt;
    allocation_.reset();  // its nodes may be gone
    if (job && whole_) wait_until_nodes_are_clean(*job);
    leave_ledger();
    fault_point("supervisor.after_nodes_went");
    if (!wait_for_a_place(problem)) {
      return over() ? ending_before_start("it got its nodes again") : ended(RunState::failed, problem);
    }
    set_state(RunState::preparing);
  }
  listen(0);
  return over() ? std::optional(ending_before_start("its program started again")) : std::nullopt;
}

// A run that was archived in the meantime goes on, but takes nothing.
void Supervision::record(const std::vector<history::Metric>& metrics, const std::vector<history::KeyValue>& tags) {
  if (store_->get_run(plan_.run_id).lifecycle != history::Lifecycle::active) return;
  store_->log_batch(plan_.run_id, metrics, {}, tags);
}

// By what the attempt that follows says: it knows which checkpoint it has found.
void Supervision::note_lost_steps() {
  const auto goes_on_from = journals_.first_step();
  if (!reached_step_ || !goes_on_from) return;
  const std::int64_t lost = lost_steps_ + std::max<std::int64_t>(0, *reached_step_ - *goes_on_from);
  record({}, {{"lockstep.lost_steps", std::to_string(lost)}});
  lost_steps_ = lost;
  reached_step_.reset();
}

// What a stop needs is what a warning must leave: the step that is under way, the save, and the ranks' end.
void Supervision::note_stop_time() {
  if (!stop_took_ms_) return;
  const history::Metric took{std::string(stop_seconds), static_cast<double>(*stop_took_ms_) / 1000, now_ms(),
                             journals_.last_step().value_or(0)};
  record({took}, {});
  stop_took_ms_.reset();
}

}  // namespace lockstep::supervise
