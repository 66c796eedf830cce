// Whether the nodes of a run can exchange messages as the run will: by the same mpirun, with the same settings.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/plan/plan.hpp"

namespace lockstep::hosts {

inline constexpr std::string_view network_check_program = "lockstep-network-check";

struct NetworkReport {
  std::string problem;                 // empty: all is well
  std::optional<std::size_t> bad;      // then: the node to do without; nullopt: it can't be said
  std::optional<std::size_t> or_else;  // who may be the cause as well
  std::string measured;                // "a sum: 4 B in 31 us, 4 MiB in 12 ms (0.35 GB/s)"; or why nothing was
};

// Of a run whose nodes are known; takes about a second, 70 at most. `environment` is what its program will have.
// Nothing to do for one node, for a job without a distribution, or where the compute does not want it.
NetworkReport check_network(const plan::Plan& plan, const Environment& environment,
                            const std::function<bool()>& canceled);

// What the program's lines (runner/network_check) and Open MPI's complaints tell of these nodes. `ended_well`: mpirun's
// exit code is 0.
NetworkReport judge_network(const std::vector<spec::Host>& nodes, std::string_view said, bool ended_well,
                            std::string_view complaints);

}  // namespace lockstep::hosts
