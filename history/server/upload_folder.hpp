// Where one server keeps bodies that are not whole yet: a folder of its own below uploads/, as several servers may
// serve a workspace (`lockstep serve`, and every run's own).
#pragma once

#include <optional>

#include "common/file.hpp"
#include "common/run_folder.hpp"

namespace lockstep::history::server {

class UploadFolder {
 public:
  // Makes the folder, and removes those of servers that were killed.
  explicit UploadFolder(const Workspace& workspace);
  ~UploadFolder();
  UploadFolder(const UploadFolder&) = delete;
  UploadFolder& operator=(const UploadFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  FileLock lock_;  // beside the folder: held while we live
};

}  // namespace lockstep::history::server
