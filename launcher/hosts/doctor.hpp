// What the machines of a compute can do, what they lack, and how to get it: as launcher/machine does of this one.
#pragma once

#include <functional>
#include <vector>

#include "launcher/machine/doctor.hpp"
#include "launcher/plan/plan.hpp"

namespace lockstep::hosts {

// Hosts are looked at as before a run, and those that are well exchange messages; of a cluster Slurm is asked, for its
// nodes and whether a run could ever get one. It takes nobody's nodes. bad_input: the compute has no engine.
std::vector<machine::Finding> examine_compute(const Workspace& workspace, const spec::Compute& compute,
                                              const std::function<bool()>& canceled);

}  // namespace lockstep::hosts
