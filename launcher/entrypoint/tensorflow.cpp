#include "launcher/entrypoint/tensorflow.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "launcher/entrypoint/addresses.hpp"

namespace lockstep::entrypoint {

static std::vector<std::string> hosts_of(const RankPlace& place, const Environment& environment, int first_port,
                                         Role role) {
  const auto nodes = node_addresses(place, environment);
  std::vector<std::pair<int, std::string>> hosts;  // with their index
  for (std::size_t rank = 0; rank < place.tasks.size() && !nodes.empty(); ++rank) {
    const Task& task = place.tasks[rank];
    if (task.role != role) continue;
    const auto& node = nodes.at(static_cast<std::size_t>(task.node));
    hosts.emplace_back(task.index, fmt::format("{}:{}", node, first_port + static_cast<int>(rank)));
  }
  std::sort(hosts.begin(), hosts.end());
  std::vector<std::string> texts;
  for (auto& [index, host] : hosts) texts.push_back(std::move(host));
  return texts;
}

std::string task_hosts(const RankPlace& place, const Environment& environment, int first_port, Role role) {
  return fmt::format("{}", fmt::join(hosts_of(place, environment, first_port, role), ","));
}

std::string tf_config(const RankPlace& place, const Environment& environment, int first_port) {
  auto cluster = nlohmann::ordered_json::object();
  for (const Role role : {Role::worker, Role::parameter_server}) {
    const auto hosts = hosts_of(place, environment, first_port, role);
    if (!hosts.empty()) cluster[std::string(name_of(role))] = hosts;
  }
  if (cluster.empty()) return "";
  const Task& mine = place.tasks.at(static_cast<std::size_t>(place.rank));
  return nlohmann::ordered_json{{"cluster", std::move(cluster)},
                                {"task", {{"type", name_of(mine.role)}, {"index", mine.index}}},
                                {"environment", "cloud"}}
      .dump();
}

}  // namespace lockstep::entrypoint
