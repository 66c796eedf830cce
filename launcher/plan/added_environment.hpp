// The variables that a run adds to the host's environment. The entrypoint adds each rank's own.
#pragma once

#include "launcher/plan/plan.hpp"

namespace lockstep::plan {

bool ranks_share_cores(const Plan& plan);  // several on one machine

// Everything that does not depend on inputs and outputs.
Environment base_environment(const Plan& plan, const Surroundings& surroundings, bool with_mpirun);

std::string addresses_of(const Plan& plan);  // of its nodes, as LOCKSTEP_NODES has them

// The job's own variables with their expressions resolved, and AZURE_ML_INPUT_<name> and its kin. Called again when a
// fetched input has got its path.
void add_path_variables(Plan& plan);

// Variables that a job file can't set, because finding and stopping the run's processes stands on them.
bool is_reserved(const std::string& variable);

}  // namespace lockstep::plan
