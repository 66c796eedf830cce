// Processes that do for nodes what takes its time, and that nobody waits for.
#pragma once

#include <functional>
#include <string>

#include "launcher/autoscale/slurm_folder.hpp"

namespace lockstep::cluster {

// Leaves a process behind that does this for a node (or another name): of a session of its own, with nothing open,
// known by a file while it lives. What it throws is in the node's log.
void leave_behind(const autoscale::SlurmFolder& folder, const std::string& node, const std::function<void()>& work);

bool is_worked_on(const autoscale::SlurmFolder& folder, const std::string& node);  // a worker of it lives

void end_workers(const autoscale::SlurmFolder& folder);  // with all that they have started

}  // namespace lockstep::cluster
