#include <fcntl.h>
#include <fmt/ranges.h>
#include <signal.h>

#include <algorithm>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/host_list.hpp"
#include "common/nearest.hpp"
#include "common/process_file.hpp"
#include "launcher/autoscale/scaled_nodes.hpp"
#include "launcher/cluster/cluster.hpp"
#include "launcher/cluster/daemons.hpp"
#include "launcher/cluster/processes.hpp"

namespace lockstep::cluster {

namespace {

constexpr int patience_ms = 2'000;  // slurmctld gives a node five seconds

void note(const ClusterFolder& folder, const std::string& node, const std::string& what) {
  const Fd file = open_file(folder.nodes_log(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  write_all(file.get(), fmt::format("{} {} {}\n", iso8601(now_ms()), node, what));
}

ClusterSpec spec_of(const ClusterFolder& folder) {
  const auto spec = spec_from_json(read_file_if_exists(folder.record()).value_or(""));
  if (!spec) throw not_found("there is no cluster in {}", folder.root().string());
  return *spec;
}

}  // namespace

std::vector<std::string> all_nodes(const ClusterFolder& folder, const ClusterSpec& spec) {
  std::vector<std::string> names = spec.static_names();
  for (auto& each : autoscale::names_of(autoscale::read_all(folder.slurm()))) names.push_back(std::move(each));
  return names;
}

namespace {

std::vector<std::string> known_nodes(const ClusterFolder& folder, const std::string& host_list) {
  const auto known = all_nodes(folder, spec_of(folder));
  auto names = expand_host_list(host_list);
  for (const auto& each : names) {
    if (std::find(known.begin(), known.end(), each) == known.end()) {
      throw bad_input("the cluster has no node '{}'{}; it has {}", each, did_you_mean(each, known),
                      fmt::join(known, ", "));
    }
  }
  return names;
}

void stop_node(const ClusterFolder& folder, const std::string& node) {
  const auto processes = processes_of_node(folder, node);
  if (processes.empty()) return note(folder, node, "does not run");
  if (const auto slurmd = read_process_file(folder.process_file(node))) stop({*slurmd}, patience_ms);
  stop(processes, patience_ms);
  kill_all([&] { return processes_of_node(folder, node); });
  fs::remove(folder.process_file(node));
  note(folder, node, "stopped");
}

}  // namespace

std::vector<std::string> start_nodes(const ClusterFolder& folder, const std::string& host_list) {
  const auto names = known_nodes(folder, host_list);
  const auto scaled = autoscale::read_all(folder.slurm());
  const Environment environment = environment_for(folder, current_environment());
  std::vector<std::string> failures;
  const FileLock lock = FileLock::take(folder.nodes_lock());
  for (const auto& each : names) {
    if (fs::exists(folder.stopping())) {
      note(folder, each, "not started: the cluster is being taken down");
    } else if (runs(folder, each)) {
      note(folder, each, "runs already");
    } else {
      try {
        start_node(folder, environment, each, autoscale::owner_of(scaled, each) != nullptr);
        note(folder, each, "started");
      } catch (const Error& error) {
        note(folder, each, fmt::format("not started: {}", error.what()));
        failures.push_back(fmt::format("not started: {}", error.what()));
      }
    }
  }
  return failures;
}

void stop_nodes(const ClusterFolder& folder, const std::string& host_list) {
  const auto names = known_nodes(folder, host_list);
  const FileLock lock = FileLock::take(folder.nodes_lock());
  for (const auto& each : names) stop_node(folder, each);
}

}  // namespace lockstep::cluster
