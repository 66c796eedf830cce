// `lockstep entrypoint [--procs-per-node N] -- ARGV...`: what every rank of a run is started through.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lockstep::cli {

struct EntrypointArguments {
  std::optional<int> procs_per_node;
  std::vector<std::string> argv;  // the command that the rank becomes; never empty
};

// `arguments` are those after the word "entrypoint". Throws bad_input. Parsed by hand, not by CLI11: a rank must start
// in a few milliseconds, so nothing is set up that it does not need.
EntrypointArguments parse_entrypoint(std::span<const char* const> arguments);

}  // namespace lockstep::cli
