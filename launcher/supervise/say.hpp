// A line of supervisor or keeper in the run's logs/system.log, where their standard error goes.
#pragma once

#include <string_view>

namespace lockstep::supervise {

void say(std::string_view who, std::string_view what);

}  // namespace lockstep::supervise
