// `lockstep compute create`, `attach`, `update`, `list`, `show`, `delete` and `detach`: the computes of a workspace.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace lockstep::cli {

void add_definition_commands(const Command& compute);

std::vector<std::string> compute_names();  // local too; for tab completion

}  // namespace lockstep::cli
