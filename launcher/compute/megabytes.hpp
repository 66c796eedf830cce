// Size limits that a person sets in the environment, and sizes for people.
#pragma once

#include <cstdint>
#include <string>

namespace lockstep::compute {

// The bytes that `variable` (a whole number of MiB, at least 1) allows, or the default. bad_input for anything else.
std::uint64_t megabytes_from(const char* variable, std::uint64_t default_megabytes);

std::string size_text(std::uint64_t bytes);  // 812 bytes, 14.2 KiB, 3.1 MiB, 2.0 GiB

}  // namespace lockstep::compute
