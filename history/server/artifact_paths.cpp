#include "history/server/artifact_paths.hpp"

#include <algorithm>
#include <vector>

#include "common/error.hpp"
#include "common/utf8.hpp"
#include "history/store/limits.hpp"

namespace lockstep::history::server {

// A little less than what Linux takes, since the workspace comes before it.
static constexpr std::size_t longest_path = 3000;
static constexpr std::size_t longest_part = 255;

// "Invalid path" alone is what MLflow says, of the two mistakes that it knows, too.
static void check_text(const std::string& path) {
  if (path.starts_with('/')) throw bad_input("Invalid path");
  if (!is_valid_utf8(path)) throw bad_input("Invalid path: it is not valid UTF-8");
  if (path.size() > longest_path) throw bad_input("Invalid path: it has more than {} bytes", longest_path);
  const auto is_bad = [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f || c == '\\'; };
  if (std::ranges::any_of(path, is_bad)) {
    throw bad_input("Invalid path: it has a backslash or a control character");
  }
}

static std::vector<std::string> parts_of(const std::string& path) {
  check_text(path);
  std::vector<std::string> parts;
  for (std::size_t begin = 0; !path.empty() && begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    parts.push_back(path.substr(begin, end - begin));
    if (parts.back() == "..") throw bad_input("Invalid path");
    if (parts.back().empty() || parts.back() == ".") {
      throw bad_input("Invalid path '{}': a part of it is empty or '.'", path);
    }
    if (parts.back().size() > longest_part) {
      throw bad_input("Invalid path '{}': a part of it has more than {} bytes", path, longest_part);
    }
    begin = end + 1;
  }
  return parts;
}

static bool is_id(std::string_view text) { return !limits::mistake_in_run_id(text); }

static bool is_experiment(const std::string& text) {
  return text.size() < 20 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

namespace {
struct Owned {
  ArtifactOwner by;
  std::size_t parts = 0;  // that say so, at the beginning
};
}  // namespace

// Model ids begin with "m-", so that a run whose name is "models" is none.
static Owned owner_of(const std::vector<std::string>& parts) {
  const std::size_t n = parts.size();
  if (n >= 3 && is_experiment(parts[0]) && is_id(parts[1]) && parts[2] == "artifacts") {
    return {{.run_id = parts[1], .model_id = {}}, 3};
  }
  if (n >= 4 && is_experiment(parts[0]) && parts[1] == "models" && parts[2].starts_with("m-") && is_id(parts[2]) &&
      parts[3] == "artifacts") {
    return {{.run_id = {}, .model_id = parts[2]}, 4};
  }
  return {};
}

static fs::path root_of(const Workspace& workspace, const ArtifactOwner& owner) {
  if (!owner.run_id.empty()) return workspace.run(owner.run_id).outputs();
  if (!owner.model_id.empty()) return workspace.model_artifacts(owner.model_id);
  return workspace.artifacts();
}

ArtifactOwner artifact_owner(const std::string& path) { return owner_of(parts_of(path)).by; }

static bool lies_in(const fs::path& root, const fs::path& path) {
  return std::mismatch(root.begin(), root.end(), path.begin(), path.end()).first == root.end();
}

// The folder that holds a root may be a link, so that runs can lie on another disk; the root itself, which a run's own
// program could replace, may not. What is given is the path with its links: a link that is removed or replaced is so
// itself, not what it points to.
fs::path artifact_path(const Workspace& workspace, const std::string& path) try {
  const std::vector<std::string> parts = parts_of(path);
  const Owned owned = owner_of(parts);
  const fs::path given = root_of(workspace, owned.by);
  const fs::path root = fs::weakly_canonical(given.parent_path()) / given.filename();
  fs::path named = root;
  for (std::size_t i = owned.parts; i < parts.size(); ++i) named /= parts[i];
  if (!lies_in(root, fs::weakly_canonical(named))) {
    throw bad_input("Invalid path: resolved path is outside the artifact directory");
  }
  return named;
} catch (const fs::filesystem_error& error) {
  throw bad_input("Invalid path '{}': {}", path, error.code().message());
}

}  // namespace lockstep::history::server
