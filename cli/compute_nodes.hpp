// `lockstep compute list-nodes` and `compute ssh`: the machines of a compute, one by one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/query.hpp"
#include "cli/terminal.hpp"
#include "launcher/hosts/preflight.hpp"
#include "launcher/slurm/nodes.hpp"

namespace lockstep::cli {

// What is known of a machine; what is not told stays empty.
struct Node {
  std::string name;
  std::string address;
  std::string state;  // preparing, idle, running, leaving, unusable; of a cloud node off
  std::string job;    // that has it
  std::string host_name = {};
  std::string open_mpi = {};
  std::string gres = {};  // Slurm's
  std::optional<int> slots = std::nullopt;
  std::optional<int> cores = std::nullopt;
  std::optional<int> gpus = std::nullopt;
  std::optional<std::int64_t> memory_bytes = std::nullopt;
  std::optional<std::int64_t> disk_free_bytes = std::nullopt;
  std::vector<std::string> problems = {};  // each with what to do
};

// `taken`: by address, the run that has it.
Node node_of(const hosts::HostReport& report, const std::map<std::string, std::string>& taken);
Node node_of(const slurm::NodeRow& row, const std::vector<slurm::QueueRow>& queue);
Json node_json(const Node& node);
std::string node_table(const std::vector<Node>& nodes, const Terminal& terminal);  // and each problem below it

void add_node_commands(const Command& compute);

}  // namespace lockstep::cli
