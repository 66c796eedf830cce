// A run's artifacts: the files under its artifact root, as MLflow's artifacts/list gives them. Nothing about them is in
// the database; the folder is the truth.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/file.hpp"

namespace lockstep::history {

struct Artifact {
  std::string path;  // relative to the root, with '/'
  bool is_folder = false;
  std::uint64_t bytes = 0;  // of a file
  bool operator==(const Artifact&) const = default;
};

// What lies in the folder `path` of `root` (empty: the root itself), or `path` itself if it is a file; by path. A root
// that does not exist has nothing. Links are shown as what they point to and never entered while listing.
// Throws bad_input for a path that is absolute, has "..", or leads out of the root by a link; not_found when nothing is
// there; failure when it can't be read.
std::vector<Artifact> list_artifacts(const fs::path& root, const std::string& path);

// The same with all folders below, to any depth; files only.
std::vector<Artifact> list_artifact_files(const fs::path& root, const std::string& path);

}  // namespace lockstep::history
