// What an import or a rebuild did, for people and programs.
#pragma once

#include <string>

#include "cli/output.hpp"
#include "history/transfer/store_sink.hpp"

namespace lockstep::cli {

Json taken_json(const history::transfer::Taken& taken, double seconds);

// "3 runs (1,200 points), 1 experiment, 2 models; here already: 4 runs", and a line for each thing that was left out.
std::string taken_text(const history::transfer::Taken& taken);

std::string counted(std::int64_t count, const std::string& thing);  // "1 run", "1,200 runs"

}  // namespace lockstep::cli
