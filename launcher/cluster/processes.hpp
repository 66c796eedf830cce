// Which processes of this machine belong to a cluster, also when whoever knew has been killed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/process.hpp"
#include "launcher/cluster/folder.hpp"

namespace lockstep::cluster {

// All that run on a node: its slurmd, the slurmstepds of its jobs, and the jobs' processes. Known by the process file,
// by who listens at the sockets in its spool folder, by the namespace of the host name that they share with these, and
// by their environment; never ourselves.
std::vector<ProcessId> processes_of_node(const ClusterFolder& folder, const std::string& node);

// All of the cluster, those of `nodes` included; works without the folder, too.
std::vector<ProcessId> processes_of(const ClusterFolder& folder, const std::vector<std::string>& nodes);

pid_t listener_at(const fs::path& socket);  // who listens at a Unix socket; 0: nobody

// Whether this process is one of a job's.
bool are_in_job_of(const ClusterFolder& folder, const Environment& environment);

// True once none lives; false when the time is over.
bool wait_until_gone(const std::vector<ProcessId>& processes, int limit_ms);

// TERM, and KILL to who is there when the time is over.
void stop(const std::vector<ProcessId>& processes, int patience_ms);

// KILL to whom `find` finds, until it finds none. Throws failure, with pids, for those that survive it.
void kill_all(const std::function<std::vector<ProcessId>()>& find);

// Looks again and again, a few ms apart. False when the time is over.
bool wait_until(const std::function<bool()>& is_so, std::int64_t limit_ms);

}  // namespace lockstep::cluster
