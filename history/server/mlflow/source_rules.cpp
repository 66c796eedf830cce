#include "history/server/mlflow/source_rules.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "history/server/mlflow/entities.hpp"
#include "history/server/mlflow/error.hpp"
#include "history/server/mlflow/uri.hpp"

namespace lockstep::history::server::mlflow {

void source_is_not_of(const char* parameter, const std::string& source) {
  throw invalid_parameter(
      "Invalid model version source: '{}'. The {} request parameter must identify the resource that contains the "
      "source.",
      source, parameter);
}

static bool is_in_list(const std::string& word, std::string list) {
  list = "," + list + ",";
  list.erase(std::remove(list.begin(), list.end(), ' '), list.end());
  return list.find("," + word + ",") != std::string::npos;
}

void check_host(const std::string& source) {
  const Uri uri = uri_of(source);
  if (uri.scheme.empty() || !is_in_list(uri.scheme, "ftp,sftp,hdfs,viewfs,http,https,mlflow-artifacts,r2,b2,abfss")) {
    return;
  }
  if (uri.scheme == "mlflow-artifacts" && uri.authority.empty()) return;
  static constexpr const char* variable = "MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES";
  if (const char* allowed = std::getenv(variable); allowed != nullptr && is_in_list(uri.scheme, allowed)) return;
  throw invalid_parameter(
      "'source' cannot use the '{0}' scheme: the '{0}' scheme addresses a host other than the tracking server's "
      "configured artifact storage, so the server would connect to the host named in the URI. Set the {1} environment "
      "variable on the server to allow it.",
      uri.scheme, variable);
}

// Absolute, without "." and "..", however it was encoded.
static void check_path(const std::string& source) {
  const std::string decoded = percent_decoded(source);
  const std::string path = uri_of(decoded).path;
  const std::vector<std::string> all = path_parts(decoded);
  const std::vector<std::string> parts = path_parts(path);
  const bool ok = path.starts_with('/') && !parts.empty() && path.find('\0') == std::string::npos &&
                  std::find(all.begin(), all.end(), "..") == all.end() &&
                  std::find(parts.begin(), parts.end(), ".") == parts.end();
  if (ok) return;
  throw invalid_parameter(
      "Invalid model version source: '{}'. If supplying a source as an http, https, local file path, ftp, objectstore, "
      "or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please "
      "provide an absolute path.",
      source);
}

// Of a URI of this machine; nullopt: it is elsewhere.
static std::optional<fs::path> local_path(const std::string& source) {
  const Uri uri = uri_of(source);
  if (uri.scheme.empty()) return percent_decoded(source);
  if (uri.scheme == "file") return percent_decoded(uri.path);
  return std::nullopt;
}

static bool is_local_and_below(const fs::path& path, const std::string& root_uri) {
  const auto root = local_path(root_uri);
  if (!root) return false;
  std::error_code failed;  // a path that can't be read is not below anything
  const fs::path real = fs::weakly_canonical(path, failed);
  if (failed) return false;
  const fs::path real_root = fs::weakly_canonical(*root, failed);
  return !failed &&
         std::mismatch(real_root.begin(), real_root.end(), real.begin(), real.end()).first == real_root.end();
}

// An artifact behind the proxy of this server, or of another one.
static bool is_proxied(const std::string& source) {
  const Uri uri = uri_of(source);
  if (uri.scheme == "mlflow-artifacts") return true;
  if (uri.scheme != "http" && uri.scheme != "https") return false;
  const auto parts = path_parts(percent_decoded(uri.path));
  const std::vector<std::string> route{"api", "2.0", "mlflow-artifacts", "artifacts"};
  return std::search(parts.begin(), parts.end(), route.begin(), route.end()) != parts.end();
}

// `root` gives where the artifacts are of the thing that `id` names. It is asked only where it matters: MLflow takes
// an s3:// source of a run that it never heard of.
template <class Root>
static void check_source(const std::string& source, const char* parameter, const std::string& id, const Root& root) {
  const auto known_root = [&] {
    try {
      return root();
    } catch (const Error& error) {
      if (error.code() != ExitCode::not_found) throw;
      source_is_not_of(parameter, source);
    }
  };
  if (const auto path = local_path(source)) {
    if (!id.empty() && is_local_and_below(*path, known_root())) return;
    throw invalid_parameter(
        "Invalid model version source: '{}'. To use a local path as a model version source, the {} request parameter "
        "has to be specified and the local path has to be contained within the artifact directory of the run specified "
        "by the {}.",
        source, parameter, parameter);
  }
  check_path(source);
  if (is_proxied(source) && (id.empty() || !is_at_or_below(source, known_root()))) source_is_not_of(parameter, source);
}

// runs:/ID/... and models:/ID say themselves whose they are.
static std::string first_part(const std::string& source) {
  const auto parts = path_parts(uri_of(source).path);
  return parts.empty() ? "" : parts.front();
}

void check_source_of_run(Store& store, const std::string& source, const std::string& run_id) {
  check_source(source, "run_id", run_id, [&] { return artifact_uri_of(store.get_run(run_id)); });
  const Uri uri = uri_of(source);
  if (uri.scheme == "runs" && (!uri.authority.empty() || run_id.empty() || first_part(source) != run_id)) {
    source_is_not_of("run_id", source);
  }
  if (uri.scheme == "models" && path_parts(uri.path).size() == 1) source_is_not_of("model_id", source);
}

void check_source_of_model(Store& store, const std::string& source, const std::string& model_id) {
  check_source(source, "model_id", model_id, [&] { return store.get_logged_model(model_id).artifact_uri; });
  const Uri uri = uri_of(source);
  const bool is_logged_model = uri.scheme == "models" && path_parts(uri.path).size() == 1;
  if (uri.scheme == "runs" || (is_logged_model && first_part(source) != model_id)) source_is_not_of("model_id", source);
}

}  // namespace lockstep::history::server::mlflow
