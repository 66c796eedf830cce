// The copy of a code folder that a run starts in: later edits do not reach the run.
#pragma once

#include <functional>
#include <string>

#include "launcher/compute/code_listing.hpp"

namespace lockstep::compute {

// Copies what is listed from `code` into the empty folder `target`, with permissions and times. Returns the SHA-256
// over kinds, modes, names and contents in order of name: equal snapshots have equal hashes. Each file is read once.
std::string copy_code(const CodeListing& listing, const fs::path& code, const fs::path& target,
                      const std::function<bool()>& canceled);

}  // namespace lockstep::compute
