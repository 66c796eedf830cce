// How a command comes to a node: by ssh, or as a step of the run's allocation.
#pragma once

#include <string>
#include <vector>

#include "common/process.hpp"
#include "launcher/plan/plan.hpp"
#include "launcher/slurm/commands.hpp"

namespace lockstep::hosts {

// The words arrive on the node as they are; its standard input and output are ours.
std::vector<std::string> reach(const plan::RemotePart& remote, const spec::Host& host,
                               const std::vector<std::string>& words);
// What a run in a cluster asks for.
slurm::Request slurm_request(const plan::Plan& plan, const std::vector<std::string>& without = {});

Environment environment_of(const plan::RemotePart& remote);  // for that command
// What mpirun has to be told besides, of an allocation that it was not started in; of hosts it is told by arguments.
Environment launcher_environment(const plan::Plan& plan);

}  // namespace lockstep::hosts
