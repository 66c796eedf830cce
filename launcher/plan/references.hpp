// What ${{inputs.x}}, ${{outputs.x}}, ${{name}} and ${{secrets.X}} stand for in a plan.
#pragma once

#include <string>
#include <string_view>

#include "launcher/plan/plan.hpp"

namespace lockstep::plan {

// The text with every reference replaced once: what an input's literal holds is not looked into again. An input that
// is still to be fetched keeps its reference. Throws bad_input for what the job does not define.
std::string resolve_in(const Plan& plan, std::string_view text);

// Whether a path or text would fall apart if it stood unquoted in a shell command.
bool needs_quotes(std::string_view text);

// As a person would type it into a shell.
std::string shell_quoted(std::string_view text);

}  // namespace lockstep::plan
