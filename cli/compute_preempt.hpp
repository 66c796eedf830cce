// `lockstep compute preempt`.
#pragma once

#include "cli/command.hpp"

namespace lockstep::cli {

void add_preempt_command(const Command& compute);

}  // namespace lockstep::cli
