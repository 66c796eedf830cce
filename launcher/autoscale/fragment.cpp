#include "launcher/autoscale/fragment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "launcher/slurm/fields.hpp"

namespace lockstep::autoscale {

namespace {

constexpr int grace_s = 30;  // what Azure gives a low-priority machine

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char letter : word) text += letter == '\'' ? "'\\''" : std::string(1, letter);
  return text + "'";
}

std::string node_line(const ScaledNodes& nodes) {
  std::string line = node_definition(nodes.prefix, nodes.most, nodes.first_port, nodes.cores, nodes.memory_mb);
  if (!nodes.size.empty()) line += " Feature=" + nodes.size;
  return line + " State=CLOUD\n";
}

// Dedicated work displaces what has low priority, which waits again; it has Azure's half minute to save.
std::string partition_line(const ScaledNodes& nodes) {
  const int off_s = nodes.provider.is_local || nodes.shares() ? 5 : 30;
  return fmt::format(
      "PartitionName={} Nodes={} State={} SuspendTime={} SuspendTimeout={} ResumeTimeout={} "
      "DefMemPerCPU={} {}\n",
      nodes.compute, host_list(nodes.prefix, nodes.most), nodes.stopped ? "DOWN" : "UP", nodes.idle_s, off_s,
      nodes.provider.timeout_s, std::max(1, nodes.memory_mb / nodes.cores),
      nodes.low_priority ? fmt::format("PriorityTier=1 PreemptMode=REQUEUE GraceTime={}", grace_s)
                         : "PriorityTier=10 PreemptMode=OFF");
}

// Nodes that stay on: so many of a compute's, whichever these are.
std::string kept_on(const std::vector<ScaledNodes>& all) {
  std::vector<std::string> kept;
  for (const ScaledNodes& each : all) {
    if (each.least > 0 && !each.stopped)
      kept.push_back(fmt::format("{}:{}", host_list(each.prefix, each.most), each.least));
  }
  return kept.empty() ? "" : fmt::format("SuspendExcNodes={}\n", fmt::join(kept, ","));
}

}  // namespace

std::string node_definition(const std::string& prefix, int count, int first_port, int cores, int memory_mb) {
  std::string line = fmt::format("NodeName={}", host_list(prefix, count));
  if (first_port > 0) {
    const std::string ports =
        count == 1 ? fmt::format("{}", first_port) : fmt::format("{}-{}", first_port, first_port + count - 1);
    line += fmt::format(" NodeHostname=localhost NodeAddr=127.0.0.1 Port={}", ports);
  }
  return line + fmt::format(" CPUs={} CoresPerSocket={} RealMemory={}", cores, cores, memory_mb);
}

std::string fragment(const SlurmFolder& folder, const std::vector<ScaledNodes>& all) {
  std::string text =
      "# Written by `lockstep compute create`, `update`, `delete`, `start` and `stop`: changes made here are lost.\n";
  if (all.empty()) return text;
  text += fmt::format("ResumeProgram={}\nSuspendProgram={}\nResumeFailProgram={}\nResumeRate=0\nSuspendRate=0\n{}",
                      folder.program("resume").string(), folder.program("suspend").string(),
                      folder.program("resume-failed").string(), kept_on(all));
  for (const ScaledNodes& each : all) {
    if (!each.shares()) text += "\n" + node_line(each) + partition_line(each);
  }
  for (const ScaledNodes& each : all) {
    if (each.shares()) text += "\n" + partition_line(each);
  }
  return text;
}

std::string program(const SlurmFolder& folder, const fs::path& lockstep, const std::string& verb) {
  return fmt::format("#!/bin/sh\nexec {} compute node-power {} {} \"$1\"\n", quoted(lockstep.string()), verb,
                     quoted(folder.root().string()));
}

// Lines as "ResumeProgram           = (null)".
static std::string value_of(std::string_view config, std::string_view key) {
  for (const auto line : slurm::split(config, '\n')) {
    const auto at = line.find('=');
    if (at == std::string_view::npos || !line.starts_with(key)) continue;
    const auto between = line.substr(key.size(), at - key.size());
    if (between.find_first_not_of(' ') != std::string_view::npos) continue;  // of a longer key
    const auto begin = line.find_first_not_of(' ', at + 1);
    return begin == std::string_view::npos ? "" : std::string(line.substr(begin));
  }
  return "";
}

std::string foreign_program(const SlurmFolder& folder, std::string_view config) {
  for (const char* key : {"ResumeProgram", "SuspendProgram"}) {
    const std::string program = value_of(config, key);
    const bool ours = program.starts_with(folder.ours().string() + "/");
    if (!program.empty() && program != "(null)" && !ours) return fmt::format("{}={}", key, program);
  }
  return "";
}

std::vector<std::string> missing_settings(std::string_view config) {
  struct Setting {
    const char* key;
    const char* wanted;
    const char* line;
    const char* why;
  };
  constexpr std::array<Setting, 5> settings = {{
      {"PrivateData", "cloud", "PrivateData=cloud", "shows nodes that are off"},
      {"SlurmctldParameters", "idle_on_node_suspend", "SlurmctldParameters=idle_on_node_suspend,cloud_reg_addrs",
       "lets a node that is switched off be used again"},
      {"SlurmctldParameters", "cloud_reg_addrs", "SlurmctldParameters=idle_on_node_suspend,cloud_reg_addrs",
       "takes a node's address from the node"},
      {"PreemptType", "partition_prio", "PreemptType=preempt/partition_prio", "lets dedicated work displace other"},
      {"PreemptMode", "REQUEUE", "PreemptMode=REQUEUE", "lets work be displaced at all"},
  }};
  std::vector<std::string> missing;
  for (const Setting& each : settings) {
    if (value_of(config, each.key).find(each.wanted) != std::string::npos) continue;
    missing.push_back(fmt::format("{}    # {}", each.line, each.why));
  }
  return missing;
}

}  // namespace lockstep::autoscale
