// A compute's nodes as a cluster's own: in the files that Slurm reads, and in Slurm.
#pragma once

#include <string>

#include "launcher/autoscale/scaled_nodes.hpp"
#include "launcher/cluster/cluster.hpp"

namespace lockstep::cluster {

// The folder of the slurm.conf that the engine names, or that Slurm's commands would read.
autoscale::SlurmFolder slurm_folder_of(const spec::SlurmEngine& engine);

// Makes the cluster have the nodes that the definition asks for, in place of those that the compute had; `is_new`: it
// had none. What is switched on stays on. Tells what was done and what an administrator has to do. bad_input, and
// nothing is changed, for what this cluster can't have; failure, with the files as they were, when Slurm does not take
// it.
void apply(const autoscale::SlurmFolder& folder, const spec::Compute& compute, bool is_new, const fs::path& lockstep,
           const Tell& tell);

// Takes them away: machines are removed before this returns. bad_input while runs use them; failure, and they stay
// known, when a machine can't be removed. Nothing when there are none.
void remove(const autoscale::SlurmFolder& folder, const std::string& compute, const fs::path& lockstep,
            const Tell& tell);

// stopped: takes no run any more, and its nodes go as soon as what runs there has ended. not_found without such nodes.
void set_stopped(const autoscale::SlurmFolder& folder, const std::string& compute, bool stopped,
                 const fs::path& lockstep, const Tell& tell);

// The parts of it that need no Slurm.
void write_nodes(const autoscale::SlurmFolder& folder, const autoscale::ScaledNodes& nodes);
void write_fragment(const autoscale::SlurmFolder& folder, const fs::path& lockstep);

}  // namespace lockstep::cluster
