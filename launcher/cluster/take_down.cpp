#include "launcher/cluster/take_down.hpp"

#include <fmt/format.h>
#include <signal.h>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/process_file.hpp"
#include "launcher/cluster/daemons.hpp"
#include "launcher/cluster/power.hpp"
#include "launcher/cluster/processes.hpp"
#include "launcher/cluster/view.hpp"

namespace lockstep::cluster {

namespace {

constexpr int job_patience_ms = 7'000;  // longer than KillWait, after which Slurm kills
constexpr int daemon_patience_ms = 5'000;

// All that were ever started, whatever can still be read of the record.
std::vector<std::string> nodes_of(const ClusterFolder& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder.spool(""), ignored))
    names.push_back(entry.path().filename().string());
  return names;
}

// So that who waits for a job hears of its end from Slurm. What can't be canceled is killed later.
void cancel_jobs(const ClusterFolder& folder, const Tell& tell) {
  const auto view = look_at(folder);
  if (!view || view->jobs.empty()) return;
  tell(fmt::format("canceling {} {}", view->jobs.size(), view->jobs.size() == 1 ? "job" : "jobs"));
  const Environment environment = environment_for(folder, current_environment());
  try {
    ask_slurm(environment, {"scancel", "--user", user_name()});
    wait_until([&] { return ask_slurm(environment, {"squeue", "--noheader", "--all"}).empty(); }, job_patience_ms);
  } catch (const Error& error) {
    tell(fmt::format("they will be killed, for they can't be canceled: {}", error.what()));
  }
}

void stop_named(const ClusterFolder& folder, const std::vector<std::string>& daemons) {
  std::vector<ProcessId> processes;
  for (const auto& each : daemons) {
    const auto process = read_process_file(folder.process_file(each));
    if (process && is_alive(*process)) processes.push_back(*process);
  }
  stop(processes, daemon_patience_ms);
}

// The record last: what is cut short can be done again.
void remove_folder(const ClusterFolder& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder.root(), ignored)) {
    if (entry.path() != folder.record() && entry.path() != folder.lock()) fs::remove_all(entry.path());
  }
  fs::remove(folder.record());
  fs::remove_all(folder.root());
}

}  // namespace

void take_down_locked(const ClusterFolder& folder, const Tell& tell) {
  const std::vector<std::string> nodes = nodes_of(folder);
  std::error_code ignored;
  if (fs::exists(folder.run(), ignored)) {
    const FileLock lock = FileLock::take(folder.nodes_lock());
    write_file_atomically(folder.stopping(), "");
  }
  cancel_jobs(folder, tell);
  stop_workers(folder.slurm());
  const auto all = processes_of(folder, nodes);  // before those end by whom the others are known
  std::vector<std::string> daemons = nodes;
  daemons.insert(daemons.begin(), "slurmctld");
  stop_named(folder, daemons);
  stop_named(folder, {"munged"});
  for (const ProcessId& each : all) send_signal(each, SIGKILL);
  kill_all([&] { return processes_of(folder, nodes); });
  remove_folder(folder);
}

// Of a cluster that never began or was all but removed; or somebody removed the folder while it ran.
static bool take_down_without_record(const ClusterFolder& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder.root(), ignored)) {
    if (entry.path() == folder.lock()) continue;
    throw bad_input("{} is no cluster's folder: it has no {}", folder.root().string(),
                    folder.record().filename().string());
  }
  const auto find = [&] { return processes_of(folder, {}); };
  const bool something = !find().empty();
  kill_all(find);
  if (!fs::remove(folder.lock())) return something;
  fs::remove(folder.root());
  return true;
}

bool take_down(const ClusterFolder& folder, const Tell& tell) {
  if (are_in_job_of(folder, current_environment())) {
    throw bad_input("this is a job of the cluster, and would end with it; take it down from outside");
  }
  if (!fs::exists(folder.record())) return take_down_without_record(folder);
  const auto lock = FileLock::try_take(folder.lock());
  if (!lock) throw failure("another `lockstep cluster` is at work in {}", folder.root().string());
  tell(fmt::format("stopping the cluster in {}", folder.root().string()));
  take_down_locked(folder, tell);
  return true;
}

}  // namespace lockstep::cluster
