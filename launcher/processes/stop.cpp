#include "launcher/processes/stop.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "launcher/entrypoint/entrypoint.hpp"
#include "launcher/processes/mpi_leftovers.hpp"
#include "launcher/processes/process_table.hpp"

namespace lockstep::processes {

namespace {
// What a run's processes carry in their environment. Runs of two workspaces may have one name, so whoever names another
// folder is another run's; `folder` is empty where it is not known.
struct RunMark {
  std::string run_id;
  std::string folder;

  bool is_on(std::string_view environment) const {
    if (!has_entry(environment, "LOCKSTEP_RUN_ID=" + run_id)) return false;
    if (folder.empty()) return true;
    const Environment all = parse_environment(environment);
    const auto named = all.find("LOCKSTEP_RUN_DIR");
    std::error_code ignored;  // of a folder that is gone: then only its name can tell
    return named == all.end() || named->second == folder || fs::equivalent(named->second, folder, ignored);
  }
};

// One look at /proc: who belongs to the run. `on_sight` is called for those whom session or environment give away,
// while the scan goes on: who forks without end must be stopped before the scan has passed.
class Scan {
 public:
  Scan(const RunMark& mark, pid_t session, pid_t root, const std::function<void(const ProcessId&)>& on_sight)
      : mark_(mark), session_(session), root_(root), spared_(ourselves_and_ancestors()) {
    for_each_process([&](const ProcessRow& row) {
      rows_.emplace(row.id.pid, row);
      if (!gives_itself_away(row)) return;
      members_.insert(row.id.pid);
      if (on_sight) on_sight(row.id);
    });
    add_descendants();
  }

  std::vector<ProcessId> members() const {
    std::vector<ProcessId> all;
    all.reserve(members_.size());
    for (const pid_t pid : members_) all.push_back(rows_.at(pid).id);
    return all;
  }

 private:
  // Read before the scan, so that nobody is judged before we know whom to spare.
  static std::set<pid_t> ourselves_and_ancestors() {
    std::map<pid_t, pid_t> parents;
    for_each_process([&](const ProcessRow& row) { parents[row.id.pid] = row.parent; });
    std::set<pid_t> spared;
    for (pid_t pid = ::getpid(); pid > 0 && spared.insert(pid).second;) {
      const auto row = parents.find(pid);
      pid = row == parents.end() ? 0 : row->second;
    }
    return spared;
  }

  bool gives_itself_away(const ProcessRow& row) const {
    if (spared_.contains(row.id.pid)) return false;
    return (session_ > 0 && row.session == session_) || row.id.pid == root_ || mark_.is_on(environment_of(row.id.pid));
  }

  // Children of members, and of the root, are members whatever they made of session and environment.
  void add_descendants() {
    for (bool grew = true; grew;) {
      grew = false;
      for (const auto& [pid, row] : rows_) {
        const bool child = (root_ > 0 && row.parent == root_) || members_.contains(row.parent);
        if (child && !spared_.contains(pid)) grew = members_.insert(pid).second || grew;
      }
    }
  }

  const RunMark mark_;
  const pid_t session_;
  const pid_t root_;
  const std::set<pid_t> spared_;
  std::map<pid_t, ProcessRow> rows_;
  std::set<pid_t> members_;
};

// Waits until all of them are gone or zombies, or the time is over.
void wait_for_end(const std::vector<ProcessId>& processes, std::int64_t deadline_ms) {
  for (const ProcessId& process : processes) {
    const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
    if (!handle || !is_alive(process)) continue;  // gone, or the pid is another's
    pollfd waiting{handle.get(), POLLIN, 0};
    const std::int64_t left = deadline_ms - monotonic_ms();
    if (left > 0) ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 1000)));
  }
}

// Stopped processes can't fork: once a scan finds nobody new, killing them all at once leaves nobody behind.
class Sweep {
 public:
  Sweep(const RunMark& mark, pid_t session, pid_t root) : mark_(mark), session_(session), root_(root) {}

  bool run(std::int64_t deadline_ms) {
    // Twice nobody: a process that is just being replaced by exec has no environment for a moment.
    for (int nobody_found = 0; nobody_found < 2;) {
      const std::vector<ProcessId> found = stop_all(deadline_ms);
      ++nobody_found;
      if (found.empty()) continue;
      nobody_found = 0;
      for (const ProcessId& each : found) send_signal(each, SIGKILL);
      wait_for_end(found, deadline_ms);
      if (monotonic_ms() >= deadline_ms) return Scan(mark_, session_, root_, nullptr).members().empty();
    }
    return true;
  }

  const std::vector<entrypoint::MpiJob>& mpi_jobs() const { return mpi_jobs_; }

 private:
  std::vector<ProcessId> stop_all(std::int64_t deadline_ms) {
    std::map<pid_t, ProcessId> stopped;
    const auto stop = [&](const ProcessId& each) {
      const auto [place, is_new] = stopped.try_emplace(each.pid, each);
      if (!is_new && place->second == each) return false;
      place->second = each;
      send_signal(each, SIGSTOP);
      return true;
    };
    for (bool grew = true; grew;) {
      grew = false;
      const auto on_sight = [&](const ProcessId& each) { grew = stop(each) || grew; };
      const Scan scan(mark_, session_, root_, on_sight);
      for (const ProcessId& each : scan.members()) grew = stop(each) || grew;
      if (monotonic_ms() >= deadline_ms) break;
    }
    std::vector<ProcessId> all;
    for (const auto& [pid, each] : stopped) {
      if (!is_alive(each)) continue;
      all.push_back(each);
      remember_mpi_job(each.pid);
    }
    return all;
  }

  void remember_mpi_job(pid_t pid) {
    if (auto job = entrypoint::find_mpi_job(parse_environment(environment_of(pid)))) mpi_jobs_.push_back(*job);
    for (auto& job : mpi_jobs_of_launcher(pid)) mpi_jobs_.push_back(std::move(job));
  }

  const RunMark mark_;
  const pid_t session_;
  const pid_t root_;
  std::vector<entrypoint::MpiJob> mpi_jobs_;
};

bool sweep(const RunMark& mark, pid_t session, pid_t root, std::int64_t limit_ms,
           std::vector<entrypoint::MpiJob> known_jobs) {
  if (mark.run_id.empty()) throw failure("cannot stop a run without an id");
  // Found before the kill: an mpirun that is dead already is no process any more, but may have left its folder.
  if (root > 0) {
    for (auto& job : mpi_jobs_of_launcher(root)) known_jobs.push_back(std::move(job));
  }
  Sweep all(mark, session, root);
  const bool clean = all.run(monotonic_ms() + limit_ms);
  known_jobs.insert(known_jobs.end(), all.mpi_jobs().begin(), all.mpi_jobs().end());
  remove_mpi_leftovers(known_jobs);
  return clean;
}

// Never a group that kill() reads as something else, nor one whose leader is not the registered process any more.
void signal_group_of(const entrypoint::Registration& registration, int signal) {
  if (!is_alive(registration.process)) return;
  const bool leads = registration.process_group == registration.process.pid && registration.process.pid > 1;
  ::kill(leads ? -registration.process_group : registration.process.pid, signal);
}
}  // namespace

std::vector<ProcessId> processes_of(const std::string& run_id, pid_t session, pid_t root) {
  return Scan({run_id, ""}, session, root, nullptr).members();
}

std::vector<ProcessId> processes_of(const RunFolder& folder, pid_t session, pid_t root) {
  return Scan({folder.run_id(), folder.root().string()}, session, root, nullptr).members();
}

void ask_ranks_to_stop(const RunFolder& folder) {
  for (const auto& registration : entrypoint::read_registrations(folder)) {
    if (!entrypoint::is_here(registration)) continue;
    const auto stoppable = entrypoint::read_stoppable(folder, registration.rank);
    if (!stoppable || !send_signal(*stoppable, SIGTERM)) signal_group_of(registration, SIGTERM);
  }
}

void ask_ranks_to_save(const RunFolder& folder) {
  for (const auto& registration : entrypoint::read_registrations(folder)) {
    if (!entrypoint::is_here(registration)) continue;
    const auto stoppable = entrypoint::read_stoppable(folder, registration.rank);
    if (stoppable) send_signal(*stoppable, SIGUSR1);
  }
}

bool kill_all(const std::string& run_id, pid_t session, pid_t root, std::int64_t limit_ms) {
  return sweep({run_id, ""}, session, root, limit_ms, {});
}

bool kill_all(const RunFolder& folder, pid_t session, pid_t root, std::int64_t limit_ms, pid_t launcher) {
  std::vector<entrypoint::MpiJob> jobs;
  if (launcher > 0) jobs = mpi_jobs_of_launcher(launcher);
  for (const auto& registration : entrypoint::read_registrations(folder)) {
    if (registration.mpi_job && entrypoint::is_here(registration)) jobs.push_back(*registration.mpi_job);
  }
  return sweep({folder.run_id(), folder.root().string()}, session, root, limit_ms, std::move(jobs));
}

}  // namespace lockstep::processes
