// What a run measured, in short: `lockstep job show --metrics`.
#pragma once

#include <string>

#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace lockstep::cli {

int show_metrics(const OpenWorkspace& here, const std::string& run_id, const OutputOptions& output);

}  // namespace lockstep::cli
