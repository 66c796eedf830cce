// The artifact proxy, and the artifacts of runs and model versions.
#include "history/server/artifact_paths.hpp"
#include "history/server/mlflow/artifact_files.hpp"
#include "history/server/mlflow/artifact_uris.hpp"
#include "history/server/mlflow/entities.hpp"
#include "history/server/mlflow/error.hpp"
#include "history/server/mlflow/fields.hpp"
#include "history/server/mlflow/multipart_upload.hpp"
#include "history/server/mlflow/routes.hpp"

namespace lockstep::history::server::mlflow {

static Reply empty_object() {
  Reply reply;
  reply.body = "{}";
  return reply;
}

static std::string joined(const std::string& root, const std::string& path) {
  return path.empty() ? root : root + "/" + path;
}

static Work download(const Workspace& workspace, const Request& request) {
  return [workspace, path = request.captured.at(0)](Store&) { return file_reply(workspace, path); };
}

static Work upload(const Workspace& workspace, const Request& request) {
  return [workspace, path = request.captured.at(0), file = request.uploaded](Store& store) {
    put_artifact(store, workspace, path, file);
    return Reply{};
  };
}

static Work delete_artifact(const Workspace& workspace, const Request& request) {
  return [workspace, path = request.captured.at(0)](Store& store) {
    check_may_change(store, path);
    if (path.empty()) throw invalid_parameter("All artifacts at once can't be deleted: name a file or a folder");
    std::error_code code;
    fs::remove_all(artifact_path(workspace, path), code);
    if (code) throw failure("'{}' can't be deleted: {}", path, code.message());
    return empty_object();
  };
}

// Names are relative to the path that was asked for.
static Work list(const Workspace& workspace, const Request& request) {
  const std::string* path = request.query_value("path");
  return [workspace, asked = path == nullptr ? "" : without_slash_after(*path)](Store&) {
    return listing_reply(workspace, asked, "", "");
  };
}

static std::string root_of_run(Store& store, const std::string& run_id) {
  try {
    return artifact_uri_of(store.get_run(run_id));
  } catch (const Error& error) {
    if (error.code() != ExitCode::not_found) throw;
    throw does_not_exist("Run with id={} not found", run_id);
  }
}

static Work list_of_run(const Workspace& workspace, const Request& request) {
  const Fields fields(request);
  const std::string run_id = fields.has("run_uuid") && !fields.has("run_id") ? fields.required_text("run_uuid")
                                                                             : fields.required_text("run_id");
  return [workspace, run_id, path = without_slash_after(fields.text("path"))](Store& store) {
    const std::string root = root_of_run(store, run_id);
    if (path.starts_with('/')) throw invalid_parameter("Invalid path");
    return listing_reply(workspace, joined(path_of_artifact_uri(root), path), path, root);
  };
}

static std::string required(const Request& request, const char* name) {
  const std::string* value = request.query_value(name);
  if (value == nullptr || value->empty()) missing_value(name);
  return *value;
}

static Reply file_below(const Workspace& workspace, const std::string& uri, const std::string& path) {
  if (path.starts_with('/')) throw invalid_parameter("Invalid path");
  return file_reply(workspace, joined(path_of_artifact_uri(uri), path));
}

static Work file_of_run(const Workspace& workspace, const Request& request) {
  const bool new_name = request.query_value("run_id") != nullptr;
  return [workspace, run_id = required(request, new_name ? "run_id" : "run_uuid"), path = required(request, "path")](
             Store& store) { return file_below(workspace, root_of_run(store, run_id), path); };
}

static Work file_of_model_version(const Workspace& workspace, const Request& request) {
  const auto version = static_cast<int>(Fields(request).required_integer("version"));
  return [workspace, version, name = required(request, "name"), path = required(request, "path")](Store& store) {
    return file_below(workspace, store.get_model_version(name, version).storage_location, path);
  };
}

static Work list_of_logged_model(const Workspace& workspace, const Request& request) {
  const std::string* path = request.query_value("artifact_directory_path");
  return [workspace, model_id = request.captured.at(0),
          path = path == nullptr ? "" : without_slash_after(*path)](Store& store) {
    if (path.starts_with('/')) throw invalid_parameter("Invalid path");
    const std::string root = store.get_logged_model(model_id).artifact_uri;
    return listing_reply(workspace, joined(path_of_artifact_uri(root), path), path, root);
  };
}

static Work file_of_logged_model(const Workspace& workspace, const Request& request) {
  const std::string* path = request.query_value("artifact_file_path");
  if (path == nullptr || path->empty()) {
    throw MlflowError(ErrorCode::bad_request, "Request must include the \"artifact_file_path\" query parameter.");
  }
  return [workspace, model_id = request.captured.at(0), path = *path](Store& store) {
    return file_below(workspace, store.get_logged_model(model_id).artifact_uri, path);
  };
}

// What MLflow's page uploads, small files that come in memory.
static Work upload_to_run(const Workspace& workspace, const Request& request) {
  constexpr std::size_t limit = 10 * 1024 * 1024;
  for (const char* name : {"run_uuid", "path"}) {
    const std::string* value = request.query_value(name);
    if (value == nullptr || value->empty()) throw invalid_parameter("Request must specify {}.", name);
  }
  if (request.body.size() > limit) throw invalid_parameter("Artifact size is too large. Max size is 10MB.");
  if (request.body.empty()) throw invalid_parameter("Request must specify data.");
  return [workspace, run_id = required(request, "run_uuid"), path = required(request, "path"),
          body = request.body](Store& store) {
    const std::string root = path_of_artifact_uri(root_of_run(store, run_id));
    if (path.starts_with('/')) throw invalid_parameter("Invalid path");
    put_artifact_text(store, workspace, joined(root, path), body);
    return Reply{};
  };
}

Routes artifact_routes(const Workspace& workspace) {
  Routes routes;
  // None of them changes the store: what they write are files, which no reader has to wait for.
  const auto add = [&routes, &workspace](Verb verb, const std::string& pattern, auto handler, Scope asks_for,
                                         Body body = Body::in_memory) {
    routes.push_back({.verb = verb,
                      .pattern = pattern,
                      .access = Access::read,
                      .handler = [workspace, handler](const Request& request) { return handler(workspace, request); },
                      .body = body,
                      .asks_for = asks_for});
  };
  for (const std::string api : {"/api/2.0/", "/ajax-api/2.0/"}) {
    const std::string proxy = api + "mlflow-artifacts/artifacts";
    add(Verb::get, proxy, list, Scope::read);
    add(Verb::get, proxy + "/{path...}", download, Scope::read);
    add(Verb::put, proxy + "/{path...}", upload, Scope::write, Body::to_file);
    add(Verb::del, proxy + "/{path...}", delete_artifact, Scope::admin);
    add(Verb::post, api + "mlflow-artifacts/mpu/create/{path...}", create_multipart_upload, Scope::write);
    // MLflow's client sends parts without its token, as to a store of presigned addresses: the upload id is the secret
    add(Verb::put, api + "mlflow-artifacts/mpu/part/{upload_id}/{part}", take_part, Scope::none, Body::to_file);
    routes.back().before_body = [workspace](const Request& request) { check_upload_goes_on(workspace, request); };
    add(Verb::post, api + "mlflow-artifacts/mpu/complete/{path...}", complete_multipart_upload, Scope::write);
    add(Verb::post, api + "mlflow-artifacts/mpu/abort/{path...}", abort_multipart_upload, Scope::write);
    add(Verb::get, api + "mlflow/artifacts/list", list_of_run, Scope::read);
    add(Verb::get, api + "mlflow/logged-models/{model_id}/artifacts/directories", list_of_logged_model, Scope::read);
  }
  add(Verb::get, "/get-artifact", file_of_run, Scope::read);
  add(Verb::get, "/model-versions/get-artifact", file_of_model_version, Scope::read);
  add(Verb::post, "/ajax-api/2.0/mlflow/upload-artifact", upload_to_run, Scope::write);
  add(Verb::get, "/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files", file_of_logged_model, Scope::read);
  return routes;
}

}  // namespace lockstep::history::server::mlflow
