#include "launcher/cluster/spec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

#include "common/error.hpp"

namespace lockstep::cluster {

License parse_license(const std::string& text) {
  static const std::regex form("([A-Za-z][A-Za-z0-9_.-]*):([1-9][0-9]{0,8})");
  std::smatch parts;
  if (!std::regex_match(text, parts, form)) {
    throw bad_input("--license {}: it must be NAME:COUNT, as matlab:4", text);
  }
  return {parts[1], std::stoi(parts[2])};
}

std::vector<std::string> ClusterSpec::static_names() const {
  std::vector<std::string> names;
  for (int i = 1; i <= nodes; ++i) names.push_back(fmt::format("n{}", i));
  return names;
}

std::vector<std::string> ClusterSpec::daemon_names() const {
  if (accounting) return {"munged", "mariadbd", "slurmdbd", "slurmctld"};
  return {"munged", "slurmctld"};
}

int cores_of_machine() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

int memory_share_mb(int nodes) {
  const std::int64_t bytes = std::int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
  return static_cast<int>(std::max<std::int64_t>(64, (bytes >> 20) / std::max(1, nodes)));
}

void check(const ClusterSpec& spec) {
  std::vector<std::string> mistakes;
  const auto in_range = [&](const char* option, int value, int least, int most) {
    if (value < least || value > most) {
      mistakes.push_back(fmt::format("{} {}: it must be {} to {}", option, value, least, most));
    }
  };
  in_range("--nodes", spec.nodes, 1, most_nodes);
  in_range("--cloud-nodes", spec.cloud_nodes, 0, most_nodes);
  in_range("--cores-per-node", spec.cores_per_node, 1, 4096);
  in_range("--memory-mb", spec.memory_mb, 64, 1 << 30);
  in_range("--idle-seconds", spec.idle_seconds, 1, 1 << 24);
  for (std::size_t i = 0; i < spec.licenses.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (spec.licenses[k].name == spec.licenses[i].name) {
        mistakes.push_back(fmt::format("--license {}: it is given twice", spec.licenses[i].name));
      }
    }
  }
  if (!mistakes.empty()) throw bad_input("{}", fmt::join(mistakes, "\n"));
}

std::string to_json(const ClusterSpec& spec) {
  nlohmann::json licenses = nlohmann::json::array();
  for (const License& each : spec.licenses) licenses.push_back({{"name", each.name}, {"count", each.count}});
  const nlohmann::json object{
      {"nodes", spec.nodes},         {"cloud_nodes", spec.cloud_nodes},   {"cores_per_node", spec.cores_per_node},
      {"memory_mb", spec.memory_mb}, {"idle_seconds", spec.idle_seconds}, {"licenses", licenses},
      {"user", spec.user},           {"first_port", spec.first_port},     {"accounting", spec.accounting}};
  return object.dump(2) + "\n";
}

std::optional<ClusterSpec> spec_from_json(std::string_view text) {
  try {
    const auto object = nlohmann::json::parse(text);
    ClusterSpec spec;
    object.at("nodes").get_to(spec.nodes);
    object.at("cloud_nodes").get_to(spec.cloud_nodes);
    object.at("cores_per_node").get_to(spec.cores_per_node);
    object.at("memory_mb").get_to(spec.memory_mb);
    object.at("idle_seconds").get_to(spec.idle_seconds);
    for (const auto& each : object.at("licenses")) {
      spec.licenses.push_back({each.at("name").get<std::string>(), each.at("count").get<int>()});
    }
    object.at("user").get_to(spec.user);
    object.at("first_port").get_to(spec.first_port);
    spec.accounting = object.value("accounting", false);  // clusters of earlier versions do not say
    check(spec);
    return spec;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace lockstep::cluster
