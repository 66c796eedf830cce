// Where the artifacts that clients name lie in the workspace.
#pragma once

#include <string>

#include "common/run_folder.hpp"

namespace lockstep::history::server {

// The file or folder of a path below mlflow-artifacts:/ (which may not exist):
//   <experiment_id>/<run_id>/artifacts/...           runs/<run_id>/outputs/...
//   <experiment_id>/models/<model_id>/artifacts/...  models/<model_id>/artifacts/...
//   anything else                                    artifacts/...
// Throws bad_input for a path that is absolute, has an empty, "." or ".." part, a NUL or a backslash, or that leads out
// of its root by a symbolic link.
fs::path artifact_path(const Workspace& workspace, const std::string& path);

// Whose artifact it would be; both empty: nobody's.
struct ArtifactOwner {
  std::string run_id;
  std::string model_id;
};
ArtifactOwner artifact_owner(const std::string& path);  // throws as artifact_path

}  // namespace lockstep::history::server
