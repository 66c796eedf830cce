#include "launcher/cluster/folder.hpp"

#include <algorithm>
#include <cctype>

#include "common/error.hpp"

namespace lockstep::cluster {

// Below it lie sockets, whose paths end at 107 characters: of PMIx, tmp/<node>/spmix_appdir_<uid>_<job>.<step>/...
constexpr std::size_t longest_path = 60;

static bool is_plain(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
         std::string_view("/._-+@").find(letter) != std::string_view::npos;
}

ClusterFolder::ClusterFolder(const fs::path& root) : root_(fs::weakly_canonical(fs::absolute(root))) {
  if (!root_.has_filename()) root_ = root_.parent_path();
  const std::string path = root_.string();
  if (!std::all_of(path.begin(), path.end(), is_plain)) {
    throw bad_input("{}: slurm.conf takes no such path; letters, digits and ._-+@ are safe", path);
  }
  if (path.size() > longest_path) {
    throw bad_input("{}: {} characters are too many for the sockets below it; at most {}", path, path.size(),
                    longest_path);
  }
  if (path == "/dev/shm" || path.starts_with("/dev/shm/")) {
    throw bad_input("{}: each node has a /dev/shm of its own; choose a folder elsewhere", path);
  }
  if (path == "/") throw bad_input("/ can't be a cluster's folder");
}

}  // namespace lockstep::cluster
