// A file that a test puts somewhere.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace lockstep::testing {

// Makes the folders above it, too.
inline void write_text(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

}  // namespace lockstep::testing
