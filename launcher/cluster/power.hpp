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
// of no compute are left alone. bad_input for another verb or a malformed list, failure where nothing can be written.
void power(const autoscale::SlurmFolder& folder, std::string_view verb, const std::string& node_list);

// Takes up what workers left that were killed, as with the slurmctld that had called them: machines of nodes that are
// off are removed, nodes that have rested long enough may be tried again. A worker does it; this does not wait.
void take_up(const autoscale::SlurmFolder& folder);

// Switches so many nodes on as the compute is to have on at least: Slurm leaves them on, but does not switch them on. A
// worker does it, for some may be on their way out first.
void keep_least(const autoscale::SlurmFolder& folder, const std::string& compute);

// Of a cluster that is being taken down: ends the workers and what they run, then removes the machines that commands
// have made. Throws failure, naming those that could not be removed.
void stop_workers(const autoscale::SlurmFolder& folder);

}  // namespace lockstep::cluster
