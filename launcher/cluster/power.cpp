#include "launcher/cluster/power.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/host_list.hpp"
#include "common/process_file.hpp"
#include "launcher/cluster/cluster.hpp"
#include "launcher/cluster/daemons.hpp"
#include "launcher/cluster/machine.hpp"

namespace lockstep::cluster {

namespace {

constexpr std::string_view our_mark = "lockstep: ";  // begins a reason that is ours to take back
constexpr std::size_t longest_reason = 200;

using autoscale::ScaledNodes;
using autoscale::SlurmFolder;

std::string reason_of(const std::string& problem) {
  std::string reason = std::string(our_mark) + problem;
  std::replace_if(
      reason.begin(), reason.end(), [](unsigned char letter) { return letter < 32 || letter == '|'; }, ' ');
  return reason.substr(0, longest_reason);
}

// The node counts as unusable for a while; who looks sees why.
void rest(const SlurmFolder& folder, const ScaledNodes& owner, const std::string& node, const std::string& problem) {
  const std::string reason = reason_of(problem);
  update_node(folder, node, {"state=down", "reason=" + reason});
  ::poll(nullptr, 0, owner.provider.retry_after_s * 1000);
  const Environment environment = environment_for(ClusterFolder(folder.root()), current_environment());
  const std::string now = ask_slurm(environment, {"scontrol", "--oneliner", "show", "node", node});
  if (now.find(our_mark) != std::string::npos) update_node(folder, node, {"state=power_down_force"});
}

void note_failure(const SlurmFolder& folder, const std::string& node, const std::string& what) {
  fs::create_directories(folder.node_log(node).parent_path());
  const Fd file = open_file(folder.node_log(node), O_WRONLY | O_CREAT | O_APPEND, 0640);
  write_all(file.get(), fmt::format("{} {}\n", iso8601(now_ms()), what));
}

// Leaves a process behind that does this: of a session of its own, with nothing open, known by a file while it lives.
void leave_behind(const SlurmFolder& folder, const std::string& node, const std::function<void()>& work) {
  const pid_t pid = ::fork();
  if (pid < 0) throw system_failure("cannot start a worker");
  if (pid > 0) return;
  ::setsid();
  const int nothing = ::open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3; ++fd) ::dup2(nothing, fd);
  try {
    const fs::path file = folder.worker_file(fmt::format("{}.{}", node, ::getpid()));
    write_process_file(file, this_process());
    try {
      work();
    } catch (const std::exception& error) {
      note_failure(folder, node, error.what());
    }
    fs::remove(file);
  } catch (const std::exception&) {
    ::_exit(1);  // nowhere to tell it
  }
  ::_exit(0);
}

void make(const SlurmFolder& folder, const ScaledNodes& owner, const std::string& node) {
  Machine machine(folder, owner, node);
  const std::string problem = machine.create();
  if (problem.empty()) return;
  machine.remove();
  rest(folder, owner, node, "its machine could not be made: " + problem);
}

void unmake(const SlurmFolder& folder, const ScaledNodes& owner, const std::string& node, const std::string& why) {
  const std::string problem = Machine(folder, owner, node).remove();
  if (!problem.empty()) return rest(folder, owner, node, "its machine could not be removed: " + problem);
  if (!why.empty()) rest(folder, owner, node, why);
}

}  // namespace

void power(const SlurmFolder& folder, std::string_view verb, const std::string& node_list) {
  constexpr std::array<std::string_view, 3> verbs = {"resume", "suspend", "resume-failed"};
  if (std::find(verbs.begin(), verbs.end(), verb) == verbs.end())
    throw bad_input("'{}': it must be {}", verb, fmt::join(verbs, ", "));
  fs::create_directories(folder.workers());
  const auto all = autoscale::read_all(folder);
  for (const std::string& node : expand_host_list(node_list)) {
    const ScaledNodes* const owner = autoscale::owner_of(all, node);
    if (owner == nullptr) continue;
    const std::string too_late =
        verb == "resume-failed" ? fmt::format("it did not report to Slurm within {} s", owner->provider.timeout_s) : "";
    if (!owner->provider.is_local) {
      leave_behind(folder, node, [&] {
        if (verb == "resume") return make(folder, *owner, node);
        unmake(folder, *owner, node, too_late);
      });
      continue;
    }
    const ClusterFolder box(folder.root());
    if (verb == "resume") {
      const auto failures = start_nodes(box, node);
      if (!failures.empty()) leave_behind(folder, node, [&] { rest(folder, *owner, node, failures.front()); });
    } else {
      stop_nodes(box, node);
      if (!too_late.empty()) leave_behind(folder, node, [&] { rest(folder, *owner, node, too_late); });
    }
  }
}

void stop_workers(const SlurmFolder& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder.workers(), ignored)) {
    if (entry.path().extension() != ".json") continue;
    const auto worker = read_process_file(entry.path());
    if (worker && is_alive(*worker)) ::kill(-worker->pid, SIGKILL);  // it leads a session of its own
  }
}

}  // namespace lockstep::cluster
