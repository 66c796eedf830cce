// Nodes that come when a run needs them and go when nobody does.
#pragma once

#include <string>
#include <string_view>

#include "launcher/autoscale/slurm_folder.hpp"
#include "launcher/cluster/folder.hpp"

namespace lockstep::cluster {

// What slurmctld asks for. `resume`: these nodes are wanted. `suspend`: nobody needs them. `resume-failed`: they did
// not report in time. Processes of this machine are started and stopped at once; for other nodes a worker each is left
// behind, which runs the compute's command: slurmctld does not wait. A node that can't be had is marked as down with
// the reason, so that Slurm takes another for the run, and may be tried again after the provider's retry_after. Nodes
// of no compute are left alone. bad_input for another verb or a malformed list.
void power(const autoscale::SlurmFolder& folder, std::string_view verb, const std::string& node_list);

// Ends the workers and what they run. Of a cluster that is being taken down.
void stop_workers(const autoscale::SlurmFolder& folder);

}  // namespace lockstep::cluster
