// `lockstep entrypoint [OPTION...] -- ARGV...`: what every rank of a run is started through.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "launcher/entrypoint/entrypoint.hpp"

namespace lockstep::entrypoint {

// The options, for whoever parses them and for the help pages.
struct OptionRow {
  const char* name;   // "--nodes"
  const char* value;  // "N"
  const char* help;
};
std::span<const OptionRow> option_rows();

struct CommandLine {
  Options options;
  std::vector<std::string> argv;  // the command that the rank becomes; never empty
};

// `arguments` are those after the word "entrypoint". Throws bad_input. Parsed by hand, not by CLI11: a rank must start
// in a few milliseconds, so nothing is set up that it does not need.
CommandLine parse_command_line(std::span<const char* const> arguments);

// The whole of it: becomes the rank, or says what is wrong with the arguments and returns the exit code for that.
int run_command_line(std::span<const char* const> arguments);

}  // namespace lockstep::entrypoint
