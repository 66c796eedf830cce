// A compute as the commands show it: with the keys of `az ml compute show` where it has them.
#pragma once

#include <string>
#include <vector>

#include "cli/query.hpp"
#include "cli/terminal.hpp"
#include "launcher/plan/plan.hpp"
#include "launcher/spec/compute.hpp"

namespace lockstep::cli {

Json compute_json(const spec::Compute& compute);             // what the file left out has its default
Json local_compute_json(const plan::LocalCompute& machine);  // this machine

std::string compute_table(const plan::LocalCompute& machine, const std::vector<spec::Compute>& computes,
                          const Terminal& terminal);

// What a person should know of a definition that was just kept, one line each.
std::vector<std::string> notes_on(const spec::Compute& compute);

}  // namespace lockstep::cli
