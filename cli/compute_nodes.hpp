// `lockstep compute list-nodes` and `compute ssh`: the machines of a compute, one by one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/query.hpp"
#include "cli/terminal.hpp"
#include "launcher/hosts/preflight.hpp"

namespace lockstep::cli {

struct Node {
  hosts::HostReport report;
  std::string state;  // idle, running, unusable
  std::string job;    // that has it
};

std::vector<Node> nodes_of(const std::vector<hosts::HostReport>& reports,
                           const std::map<std::string, std::string>& taken);  // by address: the run that has it
Json node_json(const Node& node);
std::string node_table(const std::vector<Node>& nodes, const Terminal& terminal);  // and each problem below it

void add_node_commands(const Command& compute);

}  // namespace lockstep::cli
