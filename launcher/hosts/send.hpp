// Code and inputs to nodes that share no files with this machine.
#pragma once

#include <functional>
#include <string>

#include "launcher/plan/plan.hpp"

namespace lockstep::hosts {

// The prepared snapshot and every input of the plan, to all its nodes at once. Throws failure that names the node.
void send_files(const plan::Plan& plan, const std::function<void(const std::string&)>& say,
                const std::function<bool()>& canceled);

}  // namespace lockstep::hosts
