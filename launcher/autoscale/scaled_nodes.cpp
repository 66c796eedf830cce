#include "launcher/autoscale/scaled_nodes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/error.hpp"
#include "launcher/spec/key_checks.hpp"
#include "launcher/spec/scalar.hpp"
#include "launcher/spec/vm_sizes.hpp"

namespace lockstep::autoscale {

namespace {

constexpr int most_nodes = 1024;
constexpr int usual_idle_s = 120;  // Azure's
// A virtual machine's system has less than the machine is sold with, and Slurm takes no node that has less than it
// was told.
constexpr double share_that_is_there = 0.9;

// Of a node that is in several partitions Slurm takes the longest times.
void share(ScaledNodes& nodes, const ScaledNodes& owner) {
  nodes.prefix = owner.prefix;
  nodes.idle_s = owner.idle_s;
  nodes.provider.timeout_s = owner.provider.timeout_s;
  nodes.cores = owner.cores;
  nodes.memory_mb = owner.memory_mb;
  nodes.size = owner.size;
}

nlohmann::json provider_json(const spec::NodeProvider& provider) {
  return {{"local", provider.is_local},    {"create", provider.create}, {"delete", provider.remove},
          {"timeout", provider.timeout_s}, {"tries", provider.tries},   {"retry_after", provider.retry_after_s}};
}

spec::NodeProvider provider_from(const nlohmann::json& json) {
  spec::NodeProvider provider;
  json.at("local").get_to(provider.is_local);
  json.at("create").get_to(provider.create);
  json.at("delete").get_to(provider.remove);
  json.at("timeout").get_to(provider.timeout_s);
  json.at("tries").get_to(provider.tries);
  json.at("retry_after").get_to(provider.retry_after_s);
  return provider;
}

}  // namespace

std::vector<std::string> ScaledNodes::names() const {
  std::vector<std::string> names;
  if (shares()) return names;
  for (int i = 1; i <= most; ++i) names.push_back(fmt::format("{}{}", prefix, i));
  return names;
}

std::string host_list(const std::string& prefix, int count) {
  return count == 1 ? fmt::format("{}1", prefix) : fmt::format("{}[1-{}]", prefix, count);
}

ScaledNodes nodes_for(const spec::Compute& compute, const std::vector<ScaledNodes>& others) {
  if (!compute.slurm || !compute.slurm->scales()) throw bad_input("'{}' has no nodes that come and go", compute.name);
  ScaledNodes nodes;
  nodes.compute = compute.name;
  nodes.prefix = compute.name + "-";
  nodes.least = compute.min_instances;
  nodes.most = compute.max_instances.value_or(1);
  nodes.idle_s = compute.idle_time_before_scale_down.value_or(usual_idle_s);
  nodes.low_priority = compute.tier == spec::Tier::low_priority;
  nodes.size = compute.size;
  nodes.nodes_of = compute.slurm->nodes_of;
  nodes.provider = compute.slurm->provider.value_or(spec::NodeProvider());
  for (const char* word : {"default", "all"}) {
    if (spec::equal_ignoring_case(compute.name, word))
      throw bad_input("'{}' means something else to Slurm", compute.name);
  }
  if (nodes.most > most_nodes) throw bad_input("max_instances is {}; at most {} can be", nodes.most, most_nodes);
  if (nodes.shares()) {
    const ScaledNodes* const owner = named(others, nodes.nodes_of);
    if (owner == nullptr || owner->shares())
      throw bad_input("engine.nodes_of: '{}' has no nodes of its own in this cluster", nodes.nodes_of);
    if (owner->most < nodes.most) {
      throw bad_input("max_instances is {}, but '{}' has {} nodes to share", nodes.most, owner->compute, owner->most);
    }
    share(nodes, *owner);
    return nodes;
  }
  const spec::VmSize* const size = spec::find_vm_size(compute.size);
  if (size != nullptr) {
    nodes.cores = size->vcpus;
    nodes.memory_mb = static_cast<int>(std::floor(size->memory_gib * 1024 * share_that_is_there));
  }
  return nodes;
}

std::string to_json(const ScaledNodes& nodes) {
  const nlohmann::json json{{"compute", nodes.compute},
                            {"prefix", nodes.prefix},
                            {"least", nodes.least},
                            {"most", nodes.most},
                            {"idle_s", nodes.idle_s},
                            {"low_priority", nodes.low_priority},
                            {"stopped", nodes.stopped},
                            {"cores", nodes.cores},
                            {"memory_mb", nodes.memory_mb},
                            {"size", nodes.size},
                            {"first_port", nodes.first_port},
                            {"nodes_of", nodes.nodes_of},
                            {"provider", provider_json(nodes.provider)}};
  return json.dump(2) + "\n";
}

std::optional<ScaledNodes> nodes_from_json(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    ScaledNodes nodes;
    json.at("compute").get_to(nodes.compute);
    json.at("prefix").get_to(nodes.prefix);
    json.at("least").get_to(nodes.least);
    json.at("most").get_to(nodes.most);
    json.at("idle_s").get_to(nodes.idle_s);
    json.at("low_priority").get_to(nodes.low_priority);
    json.at("stopped").get_to(nodes.stopped);
    json.at("cores").get_to(nodes.cores);
    json.at("memory_mb").get_to(nodes.memory_mb);
    json.at("size").get_to(nodes.size);
    json.at("first_port").get_to(nodes.first_port);
    json.at("nodes_of").get_to(nodes.nodes_of);
    nodes.provider = provider_from(json.at("provider"));
    const bool is_good = spec::check_host(nodes.compute).empty() && spec::check_host(nodes.prefix).empty() &&
                         nodes.most >= 1 && nodes.most <= most_nodes && nodes.least >= 0 && nodes.cores >= 1;
    return is_good ? std::optional(nodes) : std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

const ScaledNodes* named(const std::vector<ScaledNodes>& all, const std::string& compute) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.compute == compute; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<ScaledNodes> read_all(const SlurmFolder& folder, std::vector<fs::path>* damaged) {
  std::vector<ScaledNodes> all;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder.ours(), ignored)) {
    if (entry.path().extension() != ".json") continue;
    const auto text = read_file_if_exists(entry.path());
    if (!text) continue;  // somebody has just removed it
    auto nodes = nodes_from_json(*text);
    if (nodes) {
      all.push_back(std::move(*nodes));
    } else if (damaged != nullptr) {
      damaged->push_back(entry.path());
    } else {
      throw failure("{} is damaged: remove it, and apply its compute again", entry.path().string());
    }
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.compute < b.compute; });
  return all;
}

const ScaledNodes* owner_of(const std::vector<ScaledNodes>& all, const std::string& node) {
  for (const ScaledNodes& each : all) {
    if (each.shares() || !node.starts_with(each.prefix)) continue;
    int number = 0;
    const char* const begin = node.data() + each.prefix.size();
    const char* const end = node.data() + node.size();
    const auto [last, error] = std::from_chars(begin, end, number);
    if (error == std::errc() && last == end && number >= 1 && number <= each.most) return &each;
  }
  return nullptr;
}

std::vector<std::string> names_of(const std::vector<ScaledNodes>& all) {
  std::vector<std::string> names;
  for (const ScaledNodes& each : all) {
    for (auto& name : each.names()) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace lockstep::autoscale
