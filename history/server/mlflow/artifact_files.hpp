// Artifacts as replies, and uploads as artifacts: what the proxy and the routes of runs and models have in common.
#pragma once

#include <string>

#include "common/run_folder.hpp"
#include "history/server/request.hpp"
#include "history/store/store.hpp"

namespace lockstep::history::server::mlflow {

// The file of a path below mlflow-artifacts:/, to be downloaded: never shown by a browser as a page of this server.
Reply file_reply(const Workspace& workspace, const std::string& path);

// {"files": [{"path", "is_dir", "file_size"}]} of a folder, with `shown_below` before every name; none for a file, or
// what does not exist. `root_uri`, if it is not empty, is a member, too.
Reply listing_reply(const Workspace& workspace, const std::string& path, const std::string& shown_below,
                    const std::string& root_uri);

// Throws NotPermitted unless whoever uses the store may change the artifact of this path.
void check_may_change(Store& store, const std::string& path);

// Makes `file` the artifact, in one step; readers of what was there before read that to its end. Throws as above.
void put_artifact(Store& store, const Workspace& workspace, const std::string& path, const fs::path& file);
void put_artifact_text(Store& store, const Workspace& workspace, const std::string& path, const std::string& text);

// "text/plain" for a name with one of MLflow's text endings, else by the ending, else application/octet-stream.
std::string media_type_of(const std::string& file_name);

// The value of Content-Disposition (RFC 6266) that saves a download under this name.
std::string attachment(const std::string& file_name);

}  // namespace lockstep::history::server::mlflow
