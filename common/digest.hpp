// SHA-256 and random names, from libcrypto.
#pragma once

#include <string>
#include <string_view>

#include "common/file.hpp"

namespace lockstep {

std::string sha256_hex(std::string_view bytes);
std::string sha256_hex_of_file(const fs::path& path);
std::string random_hex(int digits);  // from the system's generator

}  // namespace lockstep
