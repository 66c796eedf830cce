#include "history/server/upload_folder.hpp"

#include "common/digest.hpp"

namespace lockstep::history::server {

static fs::path lock_of(const fs::path& folder) { return folder.string() + ".lock"; }

static fs::path new_path(const Workspace& workspace) {
  fs::create_directories(workspace.uploads());
  return workspace.uploads() / random_hex(16);
}

// A folder is made after its lock was taken: one whose lock is free has lost its server.
static void remove_abandoned(const fs::path& uploads) {
  std::error_code gone;
  for (fs::directory_iterator each(uploads, gone), end; !gone && each != end; each.increment(gone)) {
    std::error_code ignored;
    if (!each->is_directory(ignored)) continue;
    const fs::path folder = each->path();
    const auto lock = FileLock::try_take(lock_of(folder));
    if (!lock) continue;
    fs::remove_all(folder, ignored);
    fs::remove(lock_of(folder), ignored);
  }
}

UploadFolder::UploadFolder(const Workspace& workspace)
    : path_(new_path(workspace)), lock_(FileLock::take(lock_of(path_))) {
  remove_abandoned(workspace.uploads());
  fs::create_directory(path_);
}

UploadFolder::~UploadFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  fs::remove(lock_of(path_), ignored);
}

}  // namespace lockstep::history::server
