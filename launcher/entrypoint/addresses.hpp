// Where the nodes of a job can be reached.
#pragma once

#include <string>
#include <vector>

#include "launcher/entrypoint/entrypoint.hpp"

namespace lockstep::entrypoint {

// One for each node, in their order: from LOCKSTEP_NODES, Azure's AZ_BATCH_HOST_LIST, or Slurm's list of the step's
// nodes. A single node is at 127.0.0.1. Empty when there are several and nobody says where.
std::vector<std::string> node_addresses(const RankPlace& place, const Environment& environment);

}  // namespace lockstep::entrypoint
