// Copying a folder or a file over what may be there already.
#pragma once

#include <cstdint>

#include "common/file.hpp"

namespace lockstep::cli {

struct CopyCount {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  CopyCount& operator+=(const CopyCount& other);
};

// Files of the same name are replaced, others stay. Symbolic links are copied as links: what they point to may be
// outside. Pipes, sockets and devices are left out. Nothing happens when `from` does not exist.
CopyCount copy_tree(const fs::path& from, const fs::path& to);

}  // namespace lockstep::cli
