// One question to a cluster for all processes of this machine's user: asked again when the last answer is two seconds
// old, by whoever looks.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/file.hpp"
#include "launcher/spec/compute.hpp"

namespace lockstep::slurm {

// What the command says. `folder`: where answers are kept, which is made if it is not there. `is_enough`: whether an
// answer that somebody else was given will do. Throws failure when the command fails or takes longer than ten seconds.
std::string kept_answer(
    const spec::SlurmEngine& engine, const fs::path& folder, const std::vector<std::string>& argv,
    const std::function<bool(const std::string&)>& is_enough = [](const std::string&) { return true; });

}  // namespace lockstep::slurm
