// The `lockstep` command: nouns, verbs, options; and what every command has in common (errors, exit codes).
#pragma once

namespace lockstep::cli {

// Parses, runs one command, prints, and gives the exit code of common/error.hpp's table. Throws nothing.
int run_application(int argc, const char* const* argv);

}  // namespace lockstep::cli
