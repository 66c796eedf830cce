#include "launcher/cluster/processes.hpp"

#include <fmt/ranges.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/process_file.hpp"
#include "launcher/processes/process_table.hpp"

namespace lockstep::cluster {

pid_t listener_at(const fs::path& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = socket.string();
  if (path.size() >= sizeof address.sun_path) return 0;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return 0;
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

namespace {

struct Seen {
  ProcessId id;
  std::string program;         // the executable's file name; "" when it can't be told
  std::string host_namespace;  // "uts:[4026532181]"; "" when it can't be told
  bool has_conf = false;       // SLURM_CONF is ours
  std::string node;            // SLURMD_NODENAME, which only jobs have
};

std::string link_of(pid_t pid, const char* name) {
  std::error_code ignored;
  return fs::read_symlink(fmt::format("/proc/{}/{}", pid, name), ignored).string();
}

std::vector<Seen> look_around(const ClusterFolder& folder) {
  const std::string conf = "SLURM_CONF=" + folder.slurm_conf().string();
  std::vector<Seen> all;
  processes::for_each_process([&](const processes::ProcessRow& row) {
    if (row.id.pid == ::getpid()) return;
    Seen seen;
    seen.id = row.id;
    seen.program = fs::path(link_of(row.id.pid, "exe")).filename().string();
    seen.host_namespace = link_of(row.id.pid, "ns/uts");
    const std::string block = processes::environment_of(row.id.pid);
    seen.has_conf = processes::has_entry(block, conf);
    if (seen.has_conf) seen.node = value_of(processes::parse_environment(block), "SLURMD_NODENAME");
    all.push_back(std::move(seen));
  });
  return all;
}

// Debian's programs end in -wlm.
bool is_daemon(const std::string& program) {
  constexpr std::array<std::string_view, 6> names = {"slurmctld",  "slurmdbd", "slurmd",
                                                     "slurmstepd", "munged",   "mariadbd"};
  return std::any_of(names.begin(), names.end(), [&](auto each) { return program.starts_with(each); });
}

// Of a slurmdbd the host name is this machine's.
bool is_of_node(const std::string& program) {
  return (program.starts_with("slurmd") && !program.starts_with("slurmdbd")) || program.starts_with("slurmstepd");
}

// The slurmstepds of a node. A slurmstepd of who is not root can't be looked into by its own user.
std::vector<pid_t> steps_of_node(const ClusterFolder& folder, const std::string& node) {
  std::vector<pid_t> pids;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder.spool(node), ignored)) {
    if (!entry.is_socket(ignored)) continue;
    if (const pid_t pid = listener_at(entry.path()); pid > 0) pids.push_back(pid);
  }
  return pids;
}

// Of what `all` has: who is in `found`, or shares the host name of a slurmd or slurmstepd in there. These have the name
// of their node as soon as they are what they are; before, and all others, may have the name of whoever started them.
std::vector<ProcessId> with_neighbours(const std::vector<Seen>& all, const std::set<pid_t>& found) {
  const std::string our_namespace = link_of(::getpid(), "ns/uts");
  std::set<std::string> namespaces;
  for (const Seen& each : all) {
    if (is_of_node(each.program) && found.contains(each.id.pid) && each.host_namespace != our_namespace) {
      namespaces.insert(each.host_namespace);
    }
  }
  namespaces.erase("");
  std::vector<ProcessId> members;
  for (const Seen& each : all) {
    if (found.contains(each.id.pid) || namespaces.contains(each.host_namespace)) members.push_back(each.id);
  }
  return members;
}

void add_node(std::set<pid_t>& found, const std::vector<Seen>& all, const ClusterFolder& folder,
              const std::string& node) {
  const auto slurmd = read_process_file(folder.process_file(node));
  if (slurmd && is_alive(*slurmd)) found.insert(slurmd->pid);
  for (const pid_t each : steps_of_node(folder, node)) found.insert(each);
  for (const Seen& each : all) {
    if (each.has_conf && each.node == node) found.insert(each.id.pid);
  }
}

}  // namespace

std::vector<ProcessId> processes_of_node(const ClusterFolder& folder, const std::string& node) {
  const auto all = look_around(folder);
  std::set<pid_t> found;
  add_node(found, all, folder, node);
  return with_neighbours(all, found);
}

std::vector<ProcessId> processes_of(const ClusterFolder& folder, const std::vector<std::string>& nodes) {
  const auto all = look_around(folder);
  std::set<pid_t> found;
  for (const std::string& each : nodes) add_node(found, all, folder, each);
  for (const char* each : {"munged", "mariadb-install-db", "mariadbd", "slurmdbd", "slurmctld"}) {
    const auto daemon = read_process_file(folder.process_file(each));
    if (daemon && is_alive(*daemon)) found.insert(daemon->pid);
  }
  for (const Seen& each : all) {
    if (each.has_conf && (is_daemon(each.program) || !each.node.empty())) found.insert(each.id.pid);
  }
  return with_neighbours(all, found);
}

bool are_in_job_of(const ClusterFolder& folder, const Environment& environment) {
  return value_of(environment, "SLURM_CONF") == folder.slurm_conf() &&
         !value_of(environment, "SLURMD_NODENAME").empty();
}

bool wait_until(const std::function<bool()>& is_so, std::int64_t limit_ms) {
  constexpr int pause_ms = 20;
  const std::int64_t end = monotonic_ms() + limit_ms;
  while (!is_so()) {
    if (monotonic_ms() >= end) return false;
    ::poll(nullptr, 0, pause_ms);
  }
  return true;
}

bool wait_until_gone(const std::vector<ProcessId>& processes, int limit_ms) {
  return wait_until([&] { return std::none_of(processes.begin(), processes.end(), is_alive); }, limit_ms);
}

void stop(const std::vector<ProcessId>& processes, int patience_ms) {
  for (const ProcessId& each : processes) send_signal(each, SIGTERM);
  if (wait_until_gone(processes, patience_ms)) return;
  for (const ProcessId& each : processes) send_signal(each, SIGKILL);
  wait_until_gone(processes, patience_ms);
}

void kill_all(const std::function<std::vector<ProcessId>()>& find) {
  constexpr int limit_ms = 15'000;
  std::vector<ProcessId> left;
  const bool gone = wait_until(
      [&] {
        left = find();
        for (const ProcessId& each : left) send_signal(each, SIGKILL);
        return left.empty();
      },
      limit_ms);
  if (gone) return;
  std::vector<pid_t> pids;
  for (const ProcessId& each : left) pids.push_back(each.pid);
  throw failure("these processes survive SIGKILL: {}; what do they wait for? (/proc/PID/stack)", fmt::join(pids, ", "));
}

}  // namespace lockstep::cluster
