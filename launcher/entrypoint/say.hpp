// A line of the entrypoint's own on standard error, which is the rank's log in a run.
#pragma once

#include <string_view>

namespace lockstep::entrypoint {

void say(std::string_view text);  // by one write(), so that lines of several ranks on one descriptor are not mixed

}  // namespace lockstep::entrypoint
