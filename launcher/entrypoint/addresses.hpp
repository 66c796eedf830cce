// Where the nodes of a job can be reached.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "launcher/entrypoint/entrypoint.hpp"

namespace lockstep::entrypoint {

// One for each node, in their order: from LOCKSTEP_NODES, Azure's AZ_BATCH_HOST_LIST, or Slurm's list of the step's
// nodes. A single node is at 127.0.0.1. Empty when there are several and nobody says where.
std::vector<std::string> node_addresses(const RankPlace& place, const Environment& environment);

// Slurm's short form of host names: "n[1-3,07],login" is n1, n2, n3, n07, login. bad_input for what is malformed or
// more than 65536 names.
std::vector<std::string> expand_host_list(std::string_view text);

}  // namespace lockstep::entrypoint
