// The whole parser, and what is asked of it beside parsing.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/command.hpp"

namespace lockstep::cli {

std::unique_ptr<CLI::App> make_parser(Actions& actions);  // all commands
std::string full_name(const CLI::App& command);           // "lockstep job create"
std::string help_of(const CLI::App& command);             // its help page

}  // namespace lockstep::cli
