// A cluster in a box: Slurm's own programs on this machine, all of them below one folder.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "launcher/cluster/folder.hpp"
#include "launcher/cluster/spec.hpp"

namespace lockstep::cluster {

using Tell = std::function<void(const std::string&)>;

// Makes the folder, starts munged, with accounting mariadbd and slurmdbd, slurmctld and a slurmd for each static node,
// and waits until all of these are idle.
// Chooses the ports. `lockstep` is what slurmctld will call for cloud nodes. Throws bad_input when the folder has a
// cluster, or anything else, in it; failure, with the last lines of who failed, after everything was stopped and
// removed. `is_canceled` ends it in the same way.
void bring_up(const ClusterFolder& folder, ClusterSpec spec, const fs::path& lockstep, const Tell& tell,
              const std::function<bool()>& is_canceled);

// Those of its own, and those of computes, that come and go.
std::vector<std::string> all_nodes(const ClusterFolder& folder, const ClusterSpec& spec);

// Ends slurmctld, which keeps what it knows, and starts it: only so it learns of other nodes. Jobs go on. Throws
// failure with its last lines.
void restart_controller(const ClusterFolder& folder);

// Cancels the jobs, stops whatever is left of the cluster, removes the folder. False: there was nothing. Throws
// bad_input for a folder that is no cluster's.
bool take_down(const ClusterFolder& folder, const Tell& tell);

// Starts or stops the slurmd of nodes, and what runs there, as if they were machines that are switched on and off; with
// a line each in nodes.log. Nodes that are as wanted are left alone; of those that can't be started the reasons are
// given back. Throws not_found without a cluster, bad_input for nodes that it does not have.
std::vector<std::string> start_nodes(const ClusterFolder& folder, const std::string& host_list);
void stop_nodes(const ClusterFolder& folder, const std::string& host_list);

}  // namespace lockstep::cluster
