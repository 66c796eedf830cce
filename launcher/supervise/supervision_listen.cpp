// The supervisor's ears: keeper, signals, and the store, in which others ask for the run's end.
#include <signal.h>
#include <sys/wait.h>

#include <charconv>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/fault.hpp"
#include "launcher/supervise/keeper.hpp"
#include "launcher/supervise/preemption.hpp"
#include "launcher/supervise/records.hpp"
#include "launcher/supervise/retry.hpp"
#include "launcher/supervise/say.hpp"
#include "launcher/supervise/supervision.hpp"
#include "launcher/supervise/supervisor.hpp"

namespace lockstep::supervise {

using history::RunState;

namespace {
constexpr std::int64_t look_ms = 100;     // between two looks at the store for a request to cancel
constexpr std::int64_t round_ms = 5'000;  // between two looks for runs that dead supervisors left
}  // namespace

void Supervision::listen(int timeout_ms) {
  std::vector<pollfd> waiting{{channel_.closed() ? -1 : channel_.fd(), POLLIN, 0},
                              {signals_.fd(), POLLIN, 0},
                              {endpoint_ ? endpoint_->knocked_fd() : -1, POLLIN, 0}};
  if (agents_) agents_->add_to(waiting);
  if (allocation_) allocation_->add_to(waiting);
  wait_readable(std::move(waiting), timeout_ms);
  for (const int signal : signals_.read()) {
    if (signal != SIGCHLD)
      stop({RunState::canceled, fmt::format("the supervisor was asked to end by signal {}", signal)});
  }
  hear_keeper();
  hear_clients();
  if (agents_) look_at_hosts();
  const std::int64_t now = monotonic_ms();
  if (now >= next_look_ms_) {
    next_look_ms_ = now + look_ms;
    look_at_store();
  }
  sample_machine(now);
  if (next_round_ms_ == 0) next_round_ms_ = now + round_ms;  // the command that submitted us has just looked
  if (now >= next_round_ms_) {
    next_round_ms_ = now + round_ms;
    look_after_others();
  }
}

void Supervision::hear_keeper() {
  channel_.receive();
  Message message;
  while (channel_.next(message)) {
    if (message.word == "started" && !message.fields.empty()) {
      pid_t pid = 0;
      const auto& text = message.fields[0];
      std::from_chars(text.data(), text.data() + text.size(), pid);
      program_ = pid;
    }
    if (message.word == "ended" && !message.fields.empty()) {
      ending_ = ending_from_text(message.fields[0]);
      const bool saved = ending_ && ending_->outcome.exit_code == static_cast<int>(ExitCode::stopped_early);
      if (saved && stop_asked_ms_ != 0) stop_took_ms_ = monotonic_ms() - stop_asked_ms_;
    }
  }
}

// A store that can't be read or written now is tried again at the next look; the journals wait where they are.
void Supervision::look_at_store() {
  try {
    if ((!stop_ || own_stop_ != OwnStop::none) && cancel_was_requested()) {
      stop({RunState::canceled, reason_of_request(*store_, plan_.run_id)});
    }
    if (!stop_ && running_ && !ending_ && preemption_is_requested(plan_.folder)) {
      stop({RunState::failed, "preempted with lockstep compute preempt"}, OwnStop::preemption);
    }
    if (started_) journals_.take_new(*store_);
    note_lost_steps();
    trouble_.clear();
  } catch (const Error& error) {
    if (trouble_ != error.what()) say("supervisor", error.what());  // once: there are ten looks a second
    trouble_ = error.what();
  }
}

void Supervision::look_after_others() {
  try {
    close_abandoned_runs(workspace_, *store_);
  } catch (const Error& error) {
    say("supervisor", error.what());
  }
}

// A client that logs with mlflow.
void Supervision::hear_clients() {
  if (!endpoint_) return;
  try {
    endpoint_->serve_if_knocked();
  } catch (const Error& error) {
    say("tracking", error.what());
    endpoint_.reset();  // its clients are refused rather than kept waiting
  }
}

// A sample that the store does not take is lost: the next one is as good.
void Supervision::sample_machine(std::int64_t now) {
  if (!machine_ || now < next_sample_ms_) return;
  next_sample_ms_ = now + sampling_interval_ms_;
  const std::vector<history::Metric> sample = machine_->sample(now_ms());
  try {
    store_->log_batch(plan_.run_id, sample, {}, {});
  } catch (const Error& error) {
    say("system metrics", error.what());
  }
}

void Supervision::stop(const StopRequest& request, OwnStop own) {
  const bool asked = stop_.has_value();
  if (asked && (own_stop_ == OwnStop::none || own != OwnStop::none)) return;
  overruled_ = asked;
  stop_ = request;
  own_stop_ = own;
  say("supervisor", fmt::format("stopping: {}", request.reason));
  if (asked) return;
  stop_asked_ms_ = monotonic_ms();
  if (started_) channel_.send(stop_message(request));
  if (agents_) agents_->stop_ranks();
  fault_point("supervisor.after_stop");
}

// The keeper was told another reason.
void Supervision::heed_overruling(Ending& ending) const {
  if (!overruled_ || !stop_ || ending.state == RunState::completed) return;
  ending.state = stop_->state;
  ending.outcome.reason = stop_->reason;
}

bool Supervision::cancel_was_requested() { return store_->get_run(plan_.run_id).state == RunState::cancel_requested; }

// A transition may be refused because somebody asked for the end in the meantime; then the next look finds that out.
void Supervision::set_state(RunState state, const history::Outcome& outcome) {
  try {
    with_retries([&] { store_->transition(plan_.run_id, epoch_, state, outcome); });
  } catch (const history::RefusedTransition& refused) {
    if (refused.current() != RunState::cancel_requested || history::is_terminal(state)) throw;
  }
}

void Supervision::leave_ledger() {
  if (ticket_ == no_ticket) return;
  try {
    ledger_->leave(ticket_);
  } catch (const Error& error) {
    say("supervisor", error.what());  // the entry goes with the keeper
  }
  ticket_ = no_ticket;
}

}  // namespace lockstep::supervise
