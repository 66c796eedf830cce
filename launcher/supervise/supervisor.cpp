#include "launcher/supervise/supervisor.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "common/error.hpp"
#include "common/fault.hpp"
#include "launcher/plan/secrets.hpp"
#include "launcher/spec/read_job.hpp"
#include "launcher/supervise/abandoned.hpp"
#include "launcher/supervise/keeper.hpp"
#include "launcher/supervise/records.hpp"
#include "launcher/supervise/say.hpp"
#include "launcher/supervise/signals.hpp"
#include "launcher/supervise/supervision.hpp"

namespace lockstep::supervise {

namespace {
// Standard input from nowhere, output and error to system.log.
void leave_terminal(const RunFolder& folder) {
  const Fd nothing = open_file("/dev/null", O_RDONLY);
  const Fd log = open_file(folder.system_log(), O_WRONLY | O_CREAT | O_APPEND);
  if (::dup2(nothing.get(), 0) < 0 || ::dup2(log.get(), 1) < 0 || ::dup2(log.get(), 2) < 0) {
    throw system_failure("cannot leave the terminal");
  }
}

// A pipe or a socket of whoever called the command must not stay open for as long as the run lives.
void close_all_but(std::array<int, 2> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned first = 3;
  for (const int each : kept) {
    const auto keep = static_cast<unsigned>(each);
    if (keep > first) ::close_range(first, keep - 1, 0);
    first = keep + 1;
  }
  ::close_range(first, ~0U, 0);
}

// Forked before the store is opened: the keeper inherits the lock, and nothing that does not survive a fork.
ProcessId start_keeper(const plan::Plan& plan, const Limits& limits, Channel& ours, Channel keepers, Fd& ended) {
  const pid_t pid = ::fork();
  if (pid < 0) throw system_failure("cannot start the keeper");
  if (pid > 0) return {pid, start_time_of(pid).value_or(0)};
  int code = 1;
  try {
    ended.reset();
    ours = Channel(Fd());
    keep(plan.folder, static_cast<int>(plan.ranks.size()), limits, std::move(keepers));
    code = 0;
  } catch (const std::exception& problem) {
    say("keeper", problem.what());
  }
  ::_exit(code);
}

[[noreturn]] void become_supervisor(const Workspace& workspace, const plan::Plan& plan, const Limits& limits,
                                    const FileLock& lock, Fd ended) {
  int code = 1;
  try {
    ::setsid();
    ::prctl(PR_SET_NAME, "lockstep-superv");  // 15 letters is all that the kernel keeps
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    take_over_signals();
    leave_terminal(plan.folder);
    close_all_but({lock.fd(), ended.get()});
    fault_point("supervisor.before_keeper");
    auto [ours, keepers] = Channel::make_pair();
    const ProcessId keeper = start_keeper(plan, limits, ours, std::move(keepers), ended);
    fault_point("supervisor.after_keeper");
    Supervision(workspace, plan, limits, keeper, std::move(ours)).live();
    code = 0;
  } catch (const std::exception& problem) {
    say("supervisor", problem.what());
  }
  ::_exit(code);
}

// The folder is made before the row and locked before anybody can see the row, so nobody takes the run for abandoned.
FileLock claim_folder(const RunFolder& folder) {
  fs::create_directories(folder.root().parent_path());
  if (!fs::create_directory(folder.root())) {
    throw bad_input("a run named '{}' exists already ({}); choose another name", folder.run_id(),
                    folder.root().string());
  }
  auto lock = FileLock::try_take(folder.owner_lock());
  if (!lock) throw failure("somebody else holds {}", folder.owner_lock().string());
  return std::move(*lock);
}
}  // namespace

Started submit(const Workspace& workspace, const plan::Plan& plan, const Limits& limits) {
  workspace.create();
  const FileLock lock = claim_folder(plan.folder);
  fault_point("submit.after_folder");
  try {
    plan.folder.create();
    write_file_durably(plan.folder.job_file(), spec::to_yaml(plan::kept_job(plan)));
    fault_point("submit.after_job_file");
    write_plan(plan);
    if (!keep_room_for_ending(plan.folder)) throw failure("no room on the disk for {}", plan.folder.root().string());
    fault_point("submit.after_plan_file");
    const auto store = history::open_sqlite_store(workspace.store_file());
    store->create_run(new_run_of(plan, store->get_or_create_experiment(plan.experiment_name).experiment_id));
    fault_point("submit.after_row");
  } catch (const std::exception&) {
    std::error_code ignored;
    fs::remove_all(plan.folder.root(), ignored);  // ours alone, made a moment ago; nothing ran in it
    throw;
  }
  auto [ended_read, ended_write] = make_pipe();
  const pid_t pid = ::fork();
  if (pid < 0) throw system_failure("cannot start the supervisor");
  if (pid == 0) become_supervisor(workspace, plan, limits, lock, std::move(ended_write));
  return {{pid, start_time_of(pid).value_or(0)}, std::move(ended_read)};
}

bool cancel(const Workspace& workspace, history::Store& store, const std::string& run_id, const std::string& reason) {
  const bool asked = store.request_cancel(run_id, reason);
  close_if_abandoned(workspace, store, run_id);
  return asked;
}

}  // namespace lockstep::supervise
