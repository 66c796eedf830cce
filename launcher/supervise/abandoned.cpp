#include "launcher/supervise/abandoned.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "common/error.hpp"
#include "common/fault.hpp"
#include "launcher/entrypoint/entrypoint.hpp"
#include "launcher/processes/stop.hpp"
#include "launcher/slurm/allocation.hpp"
#include "launcher/supervise/children.hpp"
#include "launcher/supervise/ending.hpp"
#include "launcher/supervise/journal_intake.hpp"
#include "launcher/supervise/preemption.hpp"
#include "launcher/supervise/records.hpp"
#include "launcher/supervise/run_archive.hpp"
#include "launcher/supervise/supervisor.hpp"

namespace lockstep::supervise {

using history::RunState;

namespace {
// 0 when there is no whole plan: then nothing was started either.
int ranks_of(const RunFolder& folder) {
  const auto text = read_file_if_exists(folder.plan_file());
  const auto plan = nlohmann::json::parse(text.value_or(""), nullptr, false);
  const auto ranks = plan.is_object() ? plan.find("ranks") : plan.end();
  return plan.is_object() && ranks != plan.end() ? static_cast<int>(ranks->size()) : 0;
}

// The session that the run's program was started in, as long as one of its ranks lives to tell; 0: unknown.
pid_t session_of(const RunFolder& folder) {
  for (const auto& rank : entrypoint::read_registrations(folder)) {
    if (!entrypoint::is_here(rank) || !is_alive(rank.process)) continue;
    if (const pid_t session = ::getsid(rank.process.pid); session > 0 && session != ::getsid(0)) return session;
  }
  return 0;
}

Ending ending_of(history::Store& store, const history::Run& run, const RunFolder& folder) {
  const bool asked = run.state == RunState::cancel_requested;
  if (auto written = read_ending(folder)) {
    if (asked && written->state == RunState::completed) {
      written->state = RunState::canceled;
      written->outcome.reason = reason_of_request(store, run.run_id);
    }
    return *written;
  }
  const std::string killed = "supervisor and keeper were killed";
  if (!fs::exists(folder.root()))
    return ended(RunState::failed, fmt::format("its folder {} was removed", folder.root().string()));
  if (asked) return ended(RunState::canceled, fmt::format("{}; {}", reason_of_request(store, run.run_id), killed));
  if (run.epoch == 0) return ended(RunState::failed, "the run was killed before its supervisor had started");
  return ended(RunState::failed, fmt::format("{} while the run was {}; how its program ended is not known", killed,
                                             history::name_of(run.state)));
}
}  // namespace

// A cluster that does not answer must not keep the run from being closed.
static void give_back_nodes(const RunFolder& folder) {
  try {
    slurm::give_back_noted(folder.allocation_file());
  } catch (const std::exception&) {
    return;  // the allocation's own time limit ends it
  }
}

bool close_if_abandoned(const Workspace& workspace, history::Store& store, const std::string& run_id) {
  if (store.get_run(run_id).reported) return false;  // its client says when it ends
  const RunFolder folder = workspace.run(run_id);
  std::optional<FileLock> lock;
  if (fs::exists(folder.root())) {
    lock = FileLock::try_take(folder.owner_lock());
    if (!lock) return false;
  }
  const history::Run run = store.get_run(run_id);  // now that nobody else can close it
  if (history::is_terminal(run.state) || (!lock && run.epoch == 0)) return false;
  fault_point("abandoned.after_lock");
  const bool gone = processes::kill_all(folder, session_of(folder), 0, processes::kill_limit_ms);
  give_back_nodes(folder);
  give_room_back(folder);
  forget_preemption_request(folder);
  fault_point("abandoned.after_sweep");
  JournalIntake(folder, ranks_ever(folder, ranks_of(folder))).take_all(store);
  fault_point("abandoned.after_journals");
  const std::int64_t epoch = store.take_ownership(run_id);
  fault_point("abandoned.after_ownership");
  Ending ending = ending_of(store, run, folder);
  if (!gone) ending.outcome.reason += "; some of its processes could not be killed";
  if (lock && read_ending(folder) != ending) write_ending(folder, ending);
  fault_point("abandoned.after_state_file");
  end_reported_below(store, run_id, ending.state);
  store.transition(run_id, epoch, ending.state, ending.outcome);
  if (lock) write_run_archive(store, folder);
  return true;
}

int close_abandoned_runs(const Workspace& workspace, history::Store& store) {
  int closed = 0;
  history::RunQuery query;
  query.only_unfinished = true;
  query.view = history::View::all;
  while (true) {
    const history::RunPage page = store.list_runs(query);
    for (const auto& run : page.runs) {
      if (!run.reported && close_if_abandoned(workspace, store, run.run_id)) ++closed;
    }
    if (page.next_page_token.empty()) return closed;
    query.page_token = page.next_page_token;
  }
}

}  // namespace lockstep::supervise
