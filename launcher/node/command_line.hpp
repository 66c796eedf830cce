// `lockstep-entrypoint --agent ...` and `--probe ...`: what the supervisor of a run starts on a node over ssh.
#pragma once

#include <optional>
#include <span>

namespace lockstep::node {

// nullopt: it is neither. Else the exit code.
std::optional<int> run_command_line(std::span<const char* const> arguments);

}  // namespace lockstep::node
