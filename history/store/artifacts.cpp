#include "history/store/artifacts.hpp"

#include <algorithm>

#include "common/error.hpp"

namespace lockstep::history {

namespace {

// The path inside the root, without links; refuses what leads out.
fs::path inside(const fs::path& root, const std::string& path) {
  const fs::path relative = fs::path(path).lexically_normal();
  if (relative.is_absolute() || (!relative.empty() && *relative.begin() == "..") ||
      path.find('\0') != std::string::npos) {
    throw bad_input("'{}' is no path below the run's artifacts", path);
  }
  const fs::path real_root = fs::weakly_canonical(root);
  const fs::path real = fs::weakly_canonical(real_root / relative);
  const auto [end, ignored] = std::mismatch(real_root.begin(), real_root.end(), real.begin(), real.end());
  if (end != real_root.end()) throw bad_input("'{}' leads out of the run's artifacts", path);
  return real_root / relative;
}

Artifact artifact_of(const fs::directory_entry& entry, const fs::path& root) {
  std::error_code gone;  // it may be removed meanwhile, and a link may point nowhere: then it has no bytes
  Artifact artifact;
  artifact.path = entry.path().lexically_relative(root).generic_string();
  artifact.is_folder = entry.is_directory(gone);
  if (entry.is_regular_file(gone)) artifact.bytes = entry.file_size(gone);
  if (gone) artifact.bytes = 0;
  return artifact;
}

template <class Iterator>
std::vector<Artifact> listed(const fs::path& root, const std::string& path, bool files_only) {
  if (!fs::exists(root) && path.empty()) return {};
  const fs::path folder = inside(root, path);
  const fs::path base = fs::weakly_canonical(root);
  if (!fs::exists(folder)) throw not_found("there is no artifact '{}' in {}", path, root.string());
  std::vector<Artifact> found;
  if (fs::is_directory(folder)) {
    for (const auto& entry : Iterator(folder)) {
      Artifact artifact = artifact_of(entry, base);
      if (!(files_only && artifact.is_folder && !entry.is_symlink())) found.push_back(std::move(artifact));
    }
  } else {
    found.push_back(artifact_of(fs::directory_entry(folder), base));
  }
  std::ranges::sort(found, {}, &Artifact::path);
  return found;
}

}  // namespace

std::vector<Artifact> list_artifacts(const fs::path& root, const std::string& path) try {
  return listed<fs::directory_iterator>(root, path, false);
} catch (const fs::filesystem_error& error) {
  throw failure("can't list the artifacts: {}", error.what());
}

std::vector<Artifact> list_artifact_files(const fs::path& root, const std::string& path) try {
  return listed<fs::recursive_directory_iterator>(root, path, true);
} catch (const fs::filesystem_error& error) {
  throw failure("can't list the artifacts: {}", error.what());
}

}  // namespace lockstep::history
