// The end of a log, fit for a terminal and for JSON: valid UTF-8, no control characters, no endless lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/file.hpp"

namespace lockstep::supervise {

// At most `count` lines, in order. None when there is no such file. Reads the last 256 KiB at most.
std::vector<std::string> last_lines(const fs::path& log, std::size_t count);

// Of a line that was redrawn with carriage returns only the last drawing is kept; escape sequences are dropped; bytes
// that are no UTF-8 become '?'; what is longer than 500 bytes ends in "...".
std::string printable_line(std::string_view line);

}  // namespace lockstep::supervise
