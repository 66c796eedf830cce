// `lockstep compute`.
#include "cli/commands.hpp"
#include "cli/compute_definitions.hpp"
#include "cli/compute_nodes.hpp"
#include "cli/compute_preempt.hpp"
#include "cli/compute_scaling.hpp"
#include "cli/compute_sizes.hpp"
#include "cli/compute_usage.hpp"

namespace lockstep::cli {

void add_compute_commands(const Command& root) {
  const Command compute = root.add("compute", "Computes: the machines that jobs run on",
                                   "lockstep compute list\n"
                                   "lockstep compute create -f configs/compute/hosts.yml\n"
                                   "lockstep compute list-sizes --type gpu");
  add_definition_commands(compute);
  add_list_sizes_command(compute);
  add_list_usage_command(compute);
  add_node_commands(compute);
  add_scaling_commands(compute);
  add_preempt_command(compute);
}

}  // namespace lockstep::cli
