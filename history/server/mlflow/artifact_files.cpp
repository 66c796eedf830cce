#include "history/server/mlflow/artifact_files.hpp"

#include "common/digest.hpp"
#include "history/server/artifact_paths.hpp"
#include "history/server/json_text.hpp"
#include "history/server/mlflow/error.hpp"
#include "history/store/artifacts.hpp"

namespace lockstep::history::server::mlflow {

Reply file_reply(const Workspace& workspace, const std::string& path) {
  const fs::path file = artifact_path(workspace, path);
  std::error_code unreadable;
  if (fs::is_directory(file, unreadable)) {
    throw invalid_parameter("Artifact path refers to a directory, not a file: '{}'", path);
  }
  if (!fs::is_regular_file(file, unreadable)) throw does_not_exist("No such artifact: '{}'", path);
  const std::string name = file.filename().string();
  Reply reply;
  reply.content_type = media_type_of(name);
  reply.file = file;
  reply.headers = {{"Content-Disposition", attachment(name)}, {"X-Content-Type-Options", "nosniff"}};
  return reply;
}

void check_may_change(Store& store, const std::string& path) {
  const ArtifactOwner owner = artifact_owner(path);
  if (owner.model_id.empty()) {
    store.check_may_change_run(owner.run_id);
  } else {
    store.check_may_change_model(owner.model_id);
  }
}

Reply listing_reply(const Workspace& workspace, const std::string& path, const std::string& shown_below,
                    const std::string& root_uri) {
  const fs::path folder = artifact_path(workspace, path);
  std::error_code unreadable;
  std::vector<Artifact> files;
  if (fs::is_directory(folder, unreadable)) files = list_artifacts(folder, "");
  JsonText out;
  out.begin_object();
  out.member_if_set("root_uri", root_uri);
  if (!files.empty()) {
    out.key("files");
    out.begin_array();
    for (const Artifact& file : files) {
      out.begin_object();
      out.member("path", std::string_view(shown_below.empty() ? file.path : shown_below + "/" + file.path));
      out.member("is_dir", file.is_folder);
      if (!file.is_folder) out.member("file_size", static_cast<std::int64_t>(file.bytes));
      out.end_object();
    }
    out.end_array();
  }
  out.end_object();
  Reply reply;
  reply.body = out.take();
  return reply;
}

// Another file system than the artifact's: copied there first, then renamed.
static void copy_into_place(const fs::path& file, const fs::path& target) {
  fs::path part = target;
  part += ".part-" + random_hex(8);
  fs::copy_file(file, part);
  fs::rename(part, target);
}

// Calls `put` with the file's place, when the folders above it are there.
template <class Put>
static void put_at(Store& store, const Workspace& workspace, const std::string& path, Put put) {
  if (path.empty() || path.ends_with('/')) {
    throw invalid_parameter("Artifact path must include a filename (cannot end with '/').");
  }
  check_may_change(store, path);
  const fs::path target = artifact_path(workspace, path);
  try {
    fs::create_directories(target.parent_path());
    if (fs::is_directory(fs::symlink_status(target))) {
      throw fs::filesystem_error("", make_error_code(std::errc::is_a_directory));
    }
    put(target);
  } catch (const fs::filesystem_error& error) {
    const auto& code = error.code();
    if (code == std::errc::is_a_directory || code == std::errc::not_a_directory || code == std::errc::file_exists) {
      throw invalid_parameter("'{}' can't be stored: {}", path, code.message());
    }
    throw failure("'{}' can't be stored: {}", path, code.message());
  }
}

void put_artifact(Store& store, const Workspace& workspace, const std::string& path, const fs::path& file) {
  put_at(store, workspace, path, [&file](const fs::path& target) {
    std::error_code code;
    fs::rename(file, target, code);
    if (code == std::errc::cross_device_link) {
      copy_into_place(file, target);
    } else if (code) {
      throw fs::filesystem_error("", code);
    }
  });
}

void put_artifact_text(Store& store, const Workspace& workspace, const std::string& path, const std::string& text) {
  put_at(store, workspace, path, [&text](const fs::path& target) { write_file_atomically(target, text); });
}

}  // namespace lockstep::history::server::mlflow
