// Any text as the path of an artifact: it is refused, or it stays below one of the three roots, whatever links lie
// there.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>

#include "common/error.hpp"
#include "history/server/artifact_paths.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

namespace fs = std::filesystem;

// A run and a model, with links that lead inside and outside.
class Links {
 public:
  Links() {
    const fs::path outputs = workspace.run("r").outputs();
    fs::create_directories(outputs / "d");
    fs::create_directories(workspace.model_artifacts("m-1"));
    fs::create_directories(workspace.artifacts());
    for (const fs::path& root : {outputs, workspace.model_artifacts("m-1"), workspace.artifacts()}) {
      fs::create_directory_symlink("/", root / "s");
      fs::create_directory_symlink("..", root / "u");
      fs::create_directory_symlink("d", root / "l");
    }
  }

 private:
  lockstep::testing::TemporaryFolder folder_;

 public:
  const lockstep::Workspace workspace{fs::canonical(folder_.path()) / "w"};
};

bool lies_in(const fs::path& root, const fs::path& path) {
  return std::mismatch(root.begin(), root.end(), path.begin(), path.end()).first == root.end();
}

bool is_inside(const lockstep::Workspace& workspace, const fs::path& path) {
  if (lies_in(workspace.artifacts(), path)) return true;
  const fs::path relative = path.lexically_relative(workspace.root());
  auto part = relative.begin();
  if (part == relative.end() || (*part != "runs" && *part != "models")) return false;
  const std::string inner = *part == "runs" ? "outputs" : "artifacts";
  if (++part == relative.end()) return false;
  return ++part != relative.end() && *part == inner;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Links links;
  const std::string path(reinterpret_cast<const char*>(data), size);
  try {
    const fs::path found = lockstep::history::server::artifact_path(links.workspace, path);
    if (!is_inside(links.workspace, found) || !is_inside(links.workspace, fs::weakly_canonical(found))) {
      std::cerr << '\'' << path << "' leads to " << found << '\n';
      std::abort();
    }
  } catch (const lockstep::Error& error) {
    if (error.code() != lockstep::ExitCode::bad_input) std::abort();
  }
  return 0;
}
