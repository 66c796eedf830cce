// `lockstep-entrypoint --agent ...` and `--probe ...`: what the supervisor of a run starts on a node over ssh; and
// `--shielded ...`, through which mpirun starts its daemon in a cluster.
#pragma once

#include <optional>
#include <span>

namespace lockstep::node {

// nullopt: it is none of them. Else the exit code.
std::optional<int> run_command_line(std::span<const char* const> arguments);

}  // namespace lockstep::node
