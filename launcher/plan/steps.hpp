// How each input gets to the ranks, and where each output goes.
#pragma once

#include "launcher/plan/plan.hpp"
#include "launcher/plan/problems.hpp"

namespace lockstep::plan {

// Inputs that are optional and have no path get no step: they are unset.
// `inputs` are the job's, with secrets in their addresses.
std::vector<InputStep> input_steps(const spec::CommandJob& job, const std::map<std::string, spec::Input>& inputs,
                                   Problems& problems);
std::vector<OutputStep> output_steps(const spec::CommandJob& job, const RunFolder& folder, Problems& problems);
std::optional<fs::path> code_folder(const spec::CommandJob& job, Problems& problems);

}  // namespace lockstep::plan
