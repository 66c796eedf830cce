#include "common/run_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "common/file.hpp"

namespace lockstep {

void RunFolder::create() const {
  for (const auto& folder : {snapshot(), outputs(), logs(), metrics(), checkpoints(), ranks()}) {
    fs::create_directories(folder);
  }
}

fs::path RunFolder::rank_log(int rank) const { return logs() / fmt::format("rank-{}.log", rank); }
fs::path RunFolder::node_preparation_log(int node) const {
  return logs() / fmt::format("node-preparation-{}.log", node);
}
fs::path RunFolder::prepare_log(int node) const { return logs() / fmt::format("prepare-{}.log", node); }
fs::path RunFolder::journal(int rank) const { return metrics() / fmt::format("rank-{}.jsonl", rank); }
fs::path RunFolder::rank_file(int rank) const { return ranks() / fmt::format("{}.json", rank); }
fs::path RunFolder::stoppable_file(int rank) const { return ranks() / fmt::format("{}.stoppable.json", rank); }
fs::path RunFolder::node(int node) const { return root_ / "nodes" / std::to_string(node); }
fs::path RunFolder::prepared_file(int node) const { return ranks() / fmt::format("node-{}.prepared.json", node); }
fs::path RunFolder::ended_file(int rank) const { return ranks() / fmt::format("{}.ended.json", rank); }

static std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Workspace Workspace::find() {
  if (const std::string named = variable("LOCKSTEP_WORKSPACE"); !named.empty()) {
    return Workspace(fs::absolute(named).lexically_normal());
  }
  const fs::path here = fs::current_path();
  for (fs::path folder = here;; folder = folder.parent_path()) {
    if (fs::is_directory(folder / ".lockstep")) return Workspace(folder / ".lockstep");
    if (folder == folder.root_path()) return Workspace(here / ".lockstep");
  }
}

void Workspace::create() const {
  fs::create_directories(runs());
  const fs::path ignore = root_ / ".gitignore";
  if (!fs::exists(ignore)) write_file_atomically(ignore, "*\n");
}

fs::path cache_folder() {
  if (const std::string named = variable("LOCKSTEP_CACHE"); !named.empty()) return fs::path(named);
  if (const std::string cache = variable("XDG_CACHE_HOME"); !cache.empty()) return fs::path(cache) / "lockstep";
  const std::string home = variable("HOME");
  return fs::path(home.empty() ? "/tmp" : home) / ".cache" / "lockstep";
}

fs::path runtime_folder() {
  if (const std::string named = variable("LOCKSTEP_RUNTIME_DIR"); !named.empty()) return fs::path(named);
  if (::geteuid() == 0) return "/run/lockstep";
  if (const std::string session = variable("XDG_RUNTIME_DIR"); !session.empty()) return fs::path(session) / "lockstep";
  return fmt::format("/tmp/lockstep-{}", ::geteuid());
}

}  // namespace lockstep
