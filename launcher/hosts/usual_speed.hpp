// How fast each host of a compute usually is, learned from the looks before runs:
// <workspace>/compute/<name>.speeds.json.
#pragma once

#include <map>
#include <string>

#include "common/run_folder.hpp"

namespace lockstep::hosts {

// By address: the median of the last looks; hosts with fewer than three are left out.
std::map<std::string, double> usual_speeds(const Workspace& workspace, const std::string& compute);
void learn_speeds(const Workspace& workspace, const std::string& compute, const std::map<std::string, double>& speeds);

}  // namespace lockstep::hosts
