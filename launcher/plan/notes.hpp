// What a person should know before a run starts: what is only recorded, and what is done differently here.
#pragma once

#include "launcher/plan/plan.hpp"

namespace lockstep::plan {

std::vector<std::string> notes_for(const Plan& plan, const Compute& compute);

}  // namespace lockstep::plan
