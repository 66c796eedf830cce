// What of a code folder goes into a run's snapshot: a look at it that changes nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/file.hpp"

namespace lockstep::compute {

struct CodeEntry {
  enum class Kind { folder, file, link };
  std::string path;  // relative, with slashes
  Kind kind = Kind::file;
  std::uint64_t bytes = 0;
  mode_t mode = 0644;
  std::string link_target;  // what the link in the snapshot says
};

struct CodeListing {
  std::vector<CodeEntry> entries;  // a folder before what is in it
  std::uint64_t files = 0;         // links count as files
  std::uint64_t bytes = 0;
  bool cut_short = false;            // far more files than allowed: the walk stopped
  std::string ignore_file;           // ".amlignore", ".gitignore" or "" when the folder has neither
  std::vector<std::string> remarks;  // links that leave the folder, sockets and pipes that are left out
};

// .amlignore files decide, or .gitignore files where the folder has no .amlignore; .git/ and .lockstep/ never go in. No
// link is followed. A link that stays in the folder is kept as it is; one that leaves it is kept as a link to the same
// absolute place, and remarked.
CodeListing list_code(const fs::path& code, const std::function<bool()>& canceled);

// Why the listing is too much for a snapshot, naming the largest five; nullopt when it is not. The limits: 300 MiB
// ($LOCKSTEP_SNAPSHOT_LIMIT_MB) and 20,000 files.
std::optional<std::string> too_much(const CodeListing& listing);

}  // namespace lockstep::compute
