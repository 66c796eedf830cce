// Preparing a node before its first rank starts: packages, data, mounts.
#pragma once

#include <string>

#include "common/file.hpp"
#include "common/process.hpp"

namespace lockstep::entrypoint {

// Runs `command` by bash once for all that share `folder` (node_folder()): the first runs it, the others wait for it.
// Its output goes to `log`. Returns when it has succeeded; throws failure to all of them when it has not.
void prepare_once(const std::string& command, const fs::path& folder, const fs::path& log,
                  const Environment& environment);

}  // namespace lockstep::entrypoint
