// The programs of a cluster: what they are started with, how they are asked.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/process.hpp"
#include "launcher/cluster/folder.hpp"
#include "launcher/cluster/spec.hpp"

namespace lockstep::cluster {

// This process's, without what it may have of another cluster or job; SLURM_CONF is the folder's, and the system's own
// programs are in PATH.
Environment environment_for(const ClusterFolder& folder, Environment environment);

// Throws failure with the Debian packages to install, when programs are missing; or with the reason why this user can't
// give nodes host names of their own here, or can't have an account.
void check_machine(const Environment& environment, bool accounting = false);

// Each in a session of its own, with a process file. What it prints is in folder.said().
void start_munged(const ClusterFolder& folder, const Environment& environment);
ProcessId start_database_installation(const ClusterFolder& folder, const Environment& environment);  // ends by itself
void start_database(const ClusterFolder& folder, const Environment& environment);
void start_slurmdbd(const ClusterFolder& folder, const Environment& environment);
void start_controller(const ClusterFolder& folder, const Environment& environment);
void start_node(const ClusterFolder& folder, const Environment& environment, const std::string& node, bool is_cloud);

// The output of one of Slurm's commands; throws failure when it fails or takes too long.
std::string ask_slurm(const Environment& environment, std::vector<std::string> argv,
                      std::chrono::seconds time_limit = std::chrono::seconds(15));

bool runs(const ClusterFolder& folder, const std::string& daemon);  // munged, slurmctld, ..., or a node

// The last lines of what a daemon printed.
std::string last_words(const ClusterFolder& folder, const std::string& daemon, std::size_t lines = 12);

}  // namespace lockstep::cluster
