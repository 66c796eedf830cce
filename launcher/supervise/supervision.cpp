#include "launcher/supervise/supervision.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/fault.hpp"
#include "launcher/compute/local.hpp"
#include "launcher/entrypoint/entrypoint.hpp"
#include "launcher/hosts/reach.hpp"
#include "launcher/processes/mpi_leftovers.hpp"
#include "launcher/processes/stop.hpp"
#include "launcher/supervise/children.hpp"
#include "launcher/supervise/keeper.hpp"
#include "launcher/supervise/preemption.hpp"
#include "launcher/supervise/records.hpp"
#include "launcher/supervise/retry.hpp"
#include "launcher/supervise/run_archive.hpp"
#include "launcher/supervise/say.hpp"

namespace lockstep::supervise {

using history::RunState;

namespace {
constexpr const char* keeper_killed = "the keeper was killed";
}  // namespace

Supervision::Supervision(Workspace workspace, plan::Plan plan, Limits limits, ProcessId keeper, Channel channel)
    : workspace_(std::move(workspace)),
      plan_(std::move(plan)),
      limits_(limits),
      keeper_(keeper),
      channel_(std::move(channel)),
      journals_(plan_.folder, static_cast<int>(plan_.ranks.size())),
      quotas_(workspace_) {}

void Supervision::live() {
  try {
    with_retries([&] { store_ = history::open_sqlite_store(workspace_.store_file()); });
    with_retries([&] { epoch_ = store_->take_ownership(plan_.run_id); });
    fault_point("supervisor.after_ownership");
    finish(carry_out());
  } catch (const std::exception& problem) {
    say("supervisor", problem.what());
    call_off(problem.what());
  }
  // The keeper has said its last word. Not everywhere is process 1 one that reaps, so we do.
  int status = 0;
  if (::waitpid(keeper_.pid, &status, 0) == keeper_.pid && WIFSIGNALED(status)) {
    say("supervisor", fmt::format("the keeper was killed by signal {}", WTERMSIG(status)));
  }
}

Ending Supervision::carry_out() {
  if (limits_.least_nodes) whole_ = plan_;
  std::string problem;
  if (!wait_for_a_place(problem)) {
    const char* const place = plan_.remote ? "it got its nodes" : "it got its slots";
    return over() ? ending_before_start(place) : ended(RunState::failed, problem);
  }
  set_state(RunState::preparing);
  fault_point("supervisor.after_preparing");
  if (const auto ending = prepare()) return *ending;
  if (whole_) whole_ = plan_;  // it knows now where its inputs are
  open_endpoint();
  if (plan_.argv.front() == "mpirun") processes::keep_session_folder();
  while (true) {
    const auto not_begun = plan_.remote ? go_to_hosts() : std::nullopt;
    if (not_begun && !could_not_begin_) return *not_begun;
    if (!not_begun) start();
    Ending ending = not_begun ? *not_begun : watch();
    const auto why = why_again(ending);
    if (!why) return ending;
    if (const auto last = begin_again(*why)) return *last;
  }
}

// In this machine's ledger, where others of this machine wait, too; then in a cluster's queue.
bool Supervision::wait_for_a_place(std::string& problem) {
  const bool in_cluster = plan_.remote && plan_.remote->compute.slurm;
  if ((!in_cluster || plan::cores_of(plan_) > 0) && !wait_for_slots()) return false;
  return !in_cluster || wait_for_nodes(problem);
}

bool Supervision::wait_for_slots() {
  ledger_ = std::make_unique<Ledger>(runtime_folder(), compute::this_machine().slots);
  look_at_quota();
  ticket_ = enter_ledger();
  fault_point("supervisor.after_ticket");
  bool said = false;
  while (true) {
    try {
      if (may_start()) break;
    } catch (const Error& error) {
      if (error.code() != ExitCode::not_found) throw;
      listen(0);
      if (over()) return false;  // the keeper owned the ticket, and is dead
      ticket_ = enter_ledger();  // or somebody emptied the ledger; the order starts anew for everybody
      continue;
    }
    if (!said) {
      said = true;
      const std::string what = plan_.remote ? fmt::format("{} nodes of {}", plan_.nodes.size(), plan_.compute)
                                            : fmt::format("{} slots of this machine", plan_.slots);
      say("supervisor", fmt::format("waiting for {}; {} runs wait before this one", what, ledger_->position(ticket_)));
      if (store_->get_run(plan_.run_id).state != RunState::queued) set_state(RunState::queued);
      fault_point("supervisor.after_queued");
    }
    listen(tick_ms);
    if (over()) return false;
  }
  fault_point("supervisor.after_slots");
  listen(0);
  return !over();
}

std::optional<Ending> Supervision::prepare() {
  compute::Prepared prepared;
  try {
    prepared = compute::prepare(
        plan_, [](const std::string& line) { say("prepare", line); },
        [this] {
          listen(0);
          return over();
        });
  } catch (const Error& error) {
    if (over()) return ending_before_start("it was prepared");
    return ended(RunState::failed, fmt::format("preparation failed: {}", error.what()));
  }
  fault_point("supervisor.after_prepare");
  const auto tags = tags_of(prepared);
  if (!tags.empty()) {
    with_retries([&] {  // a run that was archived in the meantime goes on, but takes no tags
      const bool active = store_->get_run(plan_.run_id).lifecycle == history::Lifecycle::active;
      if (active) store_->log_batch(plan_.run_id, {}, {}, tags);
    });
  }
  fault_point("supervisor.after_records");
  listen(0);
  return over() ? std::optional(ending_before_start("its program started")) : std::nullopt;
}

// nullopt when somebody has emptied the ledger meanwhile: the ranks then meet at the entrypoint's own choice.
std::optional<int> Supervision::reserved_port() {
  if (ticket_ == no_ticket || (plan_.remote && plan_.remote->compute.slurm)) return std::nullopt;
  try {
    return ledger_->reserve_ports(ticket_, plan_.ports);
  } catch (const Error& error) {
    if (error.code() != ExitCode::not_found) throw;
    return std::nullopt;
  }
}

Environment Supervision::programs_environment() const {
  Environment environment = current_environment();
  entrypoint::drop_rank_environment(environment);  // of the rank that submitted us, if one did
  for (const auto& [name, value] : plan_.environment) environment.insert_or_assign(name, value);
  // The sweep finds the run's processes by the first; entrypoint and runner find their folder by the second.
  environment.insert_or_assign("LOCKSTEP_RUN_ID", plan_.run_id);
  environment.insert_or_assign("LOCKSTEP_RUN_DIR", plan_.folder.root().string());
  for (const auto& [name, value] : hosts::launcher_environment(plan_)) environment.insert_or_assign(name, value);
  return environment;
}

void Supervision::start() {
  Program program{{}, plan_.folder.snapshot(), programs_environment()};
  if (!program.environment.contains("MASTER_PORT")) {  // not two runs of one machine at the same
    if (const auto port = reserved_port()) program.environment["MASTER_PORT"] = std::to_string(*port);
  }
  std::vector<std::string> added;  // what ranks on other machines need besides the plan's
  if (program.environment.contains("MASTER_PORT")) added.emplace_back("MASTER_PORT");
  if (endpoint_) {
    for (const auto& [name, value] : endpoint_->variables(program.environment, tunnel_)) {
      program.environment.insert_or_assign(name, value);
      if (name.starts_with("MLFLOW_")) added.push_back(name);
    }
  }
  program.argv = plan::launch_argv(plan_, added);
  channel_.send(start_message(program));
  started_ = true;
  if (started_ms_ == 0) started_ms_ = monotonic_ms();  // the time limit is the run's, over all its restarts
  const auto interval_ms = machine::sampling_interval_ms(program.environment);
  if (interval_ms && !plan_.remote) {
    machine_.emplace(workspace_.root());
    sampling_interval_ms_ = *interval_ms;
    next_sample_ms_ = monotonic_ms() + sampling_interval_ms_;
  }
  fault_point("supervisor.after_start");
}

// A job that says itself where it logs to is left alone. One that can't have an endpoint runs all the same.
void Supervision::open_endpoint() {
  if (plan_.environment.contains("MLFLOW_TRACKING_URI")) return;
  try {
    endpoint_ = std::make_unique<tracking::Endpoint>(workspace_, store_->get_run(plan_.run_id));
  } catch (const Error& error) {
    say("tracking", fmt::format("MLFLOW_TRACKING_URI is not set: {}", error.what()));
  }
}

Ending Supervision::watch() {
  while (!ending_ && !keeper_gone()) {
    listen(tick_ms);
    if (program_ && !running_ && nodes_are_prepared()) {
      running_ = true;
      fault_point("supervisor.after_started");
      set_state(RunState::running, with_nodes());
      fault_point("supervisor.after_running");
      let_ranks_begin();
    }
    if (!stop_ && plan_.timeout_s && monotonic_ms() - started_ms_ >= std::int64_t{*plan_.timeout_s} * 1000) {
      const std::string reason = fmt::format("timeout: it ran longer than limits.timeout ({} s)", *plan_.timeout_s);
      try {
        store_->request_cancel(plan_.run_id, reason);
      } catch (const Error& error) {
        say("supervisor", error.what());  // it is stopped all the same
      }
      stop({RunState::canceled, reason});
    }
  }
  return ending_ ? *ending_ : ending_without_keeper();
}

void Supervision::finish(Ending ending) {
  fault_point("supervisor.after_ended");
  if (agents_) leave_hosts(ending);
  forget_preemption_request(plan_.folder);
  allocation_.reset();
  leave_ledger();
  machine_.reset();
  endpoint_.reset();  // its clients have ended with the program
  look_at_store();    // for a request that came while the program ended
  heed_overruling(ending);
  if (program_ && !stop_) set_state(RunState::finalizing);
  fault_point("supervisor.after_finalizing");
  if (started_ms_ != 0) {  // in this attempt or in one before
    try {
      compute::collect(plan_, [](const std::string& line) { say("collect", line); });
    } catch (const std::exception& problem) {
      say("collect", problem.what());
      if (ending.state == RunState::completed) {
        ending =
            ended(RunState::failed,
                  fmt::format("the program ended well, but its outputs could not be collected: {}", problem.what()));
        ending.outcome.exit_code = 0;
      }
    }
  }
  fault_point("supervisor.after_collect");
  give_room_back(plan_.folder);
  // What is known beyond the keeper's word: where the store can't be written now, whoever closes the run tells it.
  if (read_ending(plan_.folder) != ending) with_retries([&] { write_ending(plan_.folder, ending); });
  with_retries([&] { journals_.take_all(*store_); });
  with_retries([&] { note_lost_steps(); });
  with_retries([&] { note_stop_time(); });
  fault_point("supervisor.after_journals");
  if (ending.state == RunState::completed && (stop_ || cancel_was_requested())) {
    ending.state = RunState::canceled;  // asked too late for the program to notice, but asked
    ending.outcome.reason = stop_ ? stop_->reason : reason_of_request(*store_, plan_.run_id);
  }
  if (read_ending(plan_.folder) != ending) with_retries([&] { write_ending(plan_.folder, ending); });
  channel_.send({"dismiss", {}});  // one that waits for a restart; others are gone
  with_retries([&] { end_reported_below(*store_, plan_.run_id, ending.state); });
  fault_point("supervisor.after_children");
  set_state(ending.state, ending.outcome);
  fault_point("supervisor.after_terminal");
  write_run_archive(*store_, plan_.folder);
  say("supervisor", fmt::format("{}: {}", history::name_of(ending.state), ending.outcome.reason));
}

// The run ends before its program was started: asked to, or the keeper died.
Ending Supervision::ending_before_start(const std::string& what) {
  if (stop_) return ended(stop_->state, stop_->reason);
  return ended(RunState::failed, fmt::format("{} before {}", keeper_killed, what));
}

// The keeper's children are ours now (we are the next subreaper), so the program's exit may still be had.
Ending Supervision::ending_without_keeper() {
  fault_point("supervisor.keeper_gone");
  if (const auto written = read_ending(plan_.folder)) return *written;  // it died after its last act
  say("supervisor", "the keeper is gone; stopping the run");
  int status = 0;
  const bool ended_before = program_ && ::waitpid(*program_, &status, WNOHANG) == *program_;
  // Whatever a run on this machine left is our child by now; of one elsewhere our own ssh are, which are needed still.
  const pid_t root = !plan_.remote ? ::getpid() : ended_before ? 0 : program_.value_or(0);
  processes::kill_all(plan_.folder, 0, root, processes::kill_limit_ms, program_.value_or(0));
  fault_point("supervisor.after_bereaved_sweep");
  Ending ending = ended(RunState::failed, fmt::format("{}; the run was stopped", keeper_killed));
  const auto asked = own_stop_ == OwnStop::preemption ? std::nullopt : stop_;  // nobody asked for its end
  if (asked) ending = ended(asked->state, asked->reason);
  if (ended_before) ending = judge(status, asked, std::nullopt);
  write_ending(plan_.folder, ending);
  fault_point("supervisor.after_bereaved_state_file");
  return ending;
}

// Something that the supervisor can't go on without failed (the store, the ledger). The keeper stops what runs; then
// the store is told once more, and if that fails too, the next command closes the run by state.json.
void Supervision::call_off(const std::string& problem) {
  const StopRequest request{RunState::failed, fmt::format("the supervisor had to give up: {}", problem)};
  stop_.reset();
  stop(request);
  if (!started_) channel_.send(stop_message(request));
  while (!ending_ && !channel_.closed()) {
    wait_readable({channel_.fd()}, tick_ms);
    hear_keeper();
  }
  channel_.send({"dismiss", {}});  // it may wait for another start
  give_room_back(plan_.folder);
  try {
    agents_.reset();  // without a word: they end what is left on the nodes
    allocation_.reset();
    leave_ledger();
    endpoint_.reset();
    const Ending ending = ending_ ? *ending_ : ending_without_keeper();
    store_ = history::open_sqlite_store(workspace_.store_file());
    journals_.take_all(*store_);
    end_reported_below(*store_, plan_.run_id, ending.state);
    store_->transition(plan_.run_id, epoch_, ending.state, ending.outcome);
    write_run_archive(*store_, plan_.folder);
  } catch (const std::exception& again) {
    say("supervisor", again.what());
  }
}

}  // namespace lockstep::supervise
