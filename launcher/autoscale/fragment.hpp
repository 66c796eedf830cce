// What Slurm reads of the computes whose nodes come and go, as text.
#pragma once

#include <string>
#include <vector>

#include "launcher/autoscale/scaled_nodes.hpp"

namespace lockstep::autoscale {

// "NodeName=x-[1-4] ...", without an end of line. Processes of this machine are told apart by their ports, from
// first_port on; with 0, others are known by their names until slurmd says where it is.
std::string node_definition(const std::string& prefix, int count, int first_port, int cores, int memory_mb);

// lockstep.conf, of all computes.
std::string fragment(const SlurmFolder& folder, const std::vector<ScaledNodes>& all);

// The programs that slurmctld calls with a list of nodes: their names below bin/, and of the command that each stands
// for, `lockstep compute node-power <verb>`.
inline constexpr const char* program_names[] = {"resume", "suspend", "resume-failed"};
std::string program(const SlurmFolder& folder, const fs::path& lockstep, const std::string& verb);

// The program that an administrator has set up himself for switching nodes on or off; "": none, or ours.
std::string foreign_program(const SlurmFolder& folder, std::string_view config);

// What else a cluster's slurm.conf needs, which only its administrator can decide. `config` is what `scontrol show
// config` says. Each with why.
std::vector<std::string> missing_settings(std::string_view config);

}  // namespace lockstep::autoscale
