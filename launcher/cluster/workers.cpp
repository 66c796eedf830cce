#include "launcher/cluster/workers.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <set>

#include "common/error.hpp"
#include "common/process_file.hpp"
#include "launcher/cluster/machine.hpp"
#include "launcher/cluster/processes.hpp"
#include "launcher/processes/process_table.hpp"

namespace lockstep::cluster {

namespace {

using autoscale::SlurmFolder;

// Of `node`, or of all of them if it is empty.
std::vector<ProcessId> workers_of(const SlurmFolder& folder, const std::string& node) {
  std::vector<ProcessId> workers;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder.workers(), ignored)) {
    const bool is_one = entry.path().extension() == ".json" &&  // <node>.<pid>.json
                        (node.empty() || entry.path().stem().stem() == node);
    const auto worker = is_one ? read_process_file(entry.path()) : std::nullopt;
    if (worker && is_alive(*worker)) workers.push_back(*worker);
  }
  return workers;
}

}  // namespace

void leave_behind(const SlurmFolder& folder, const std::string& node, const std::function<void()>& work) {
  const pid_t pid = ::fork();
  if (pid < 0) throw system_failure("cannot start a worker");
  if (pid > 0) return;
  ::setsid();
  const int nothing = ::open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3; ++fd) ::dup2(nothing, fd);
  ::close_range(3, ~0U, 0);  // locks of whoever started us
  try {
    const fs::path file = folder.worker_file(fmt::format("{}.{}", node, ::getpid()));
    write_process_file(file, this_process());
    try {
      work();
    } catch (const std::exception& error) {
      note_of_node(folder, node, error.what());
    }
    fs::remove(file);
  } catch (const std::exception&) {
    ::_exit(1);  // nowhere to tell it
  }
  ::_exit(0);
}

bool is_worked_on(const SlurmFolder& folder, const std::string& node) { return !workers_of(folder, node).empty(); }

void end_workers(const SlurmFolder& folder) {
  kill_all([&folder] {
    std::set<pid_t> sessions;
    for (const ProcessId& each : workers_of(folder, "")) sessions.insert(each.pid);
    std::vector<ProcessId> all;
    processes::for_each_process([&](const processes::ProcessRow& row) {
      if (sessions.contains(row.session)) all.push_back(row.id);
    });
    return all;
  });
}

}  // namespace lockstep::cluster
