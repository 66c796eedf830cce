// Computes whose nodes come and go in a Slurm cluster.
#pragma once

#include "cli/command.hpp"
#include "common/run_folder.hpp"
#include "launcher/spec/compute.hpp"

namespace lockstep::cli {

// Makes the cluster as the definition says, and tells on standard error what was done and what is left to do. bad_input
// when it can't have that. Nothing for a compute whose nodes are just there.
void apply_scaling(const spec::Compute& compute, bool is_new);

// bad_input when the new definition's nodes would come in another way than those that the old one has.
void check_scaling(const spec::Compute& before, const spec::Compute& after);

// Whether deleting it removes machines; false for a definition that can't be read.
bool compute_has_nodes(const Workspace& workspace, const std::string& name);

// Before the definition goes: its nodes do.
void remove_scaling(const spec::Compute& compute);

void add_scaling_commands(const Command& compute);  // apply, start, stop; node-power, which slurmctld calls

}  // namespace lockstep::cli
