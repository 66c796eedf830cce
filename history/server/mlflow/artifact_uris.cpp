#include "history/server/mlflow/artifact_uris.hpp"

#include <fmt/format.h>

#include "history/server/mlflow/entities.hpp"
#include "history/server/mlflow/error.hpp"

namespace lockstep::history::server::mlflow {

// Runs that `lockstep run` makes have the path of their outputs.
static bool lies_in_the_workspace(const Run& run) {
  return run.artifact_uri.empty() || (run.artifact_uri.starts_with("file://") &&
                                      run.artifact_uri.ends_with(fmt::format("/runs/{}/outputs", run.run_id)));
}

std::string artifact_uri_of(const Run& run) {
  if (!lies_in_the_workspace(run)) return run.artifact_uri;
  return fmt::format("mlflow-artifacts:/{}/{}/artifacts", run.experiment_id, run.run_id);
}

std::string artifact_location_of(const Experiment& experiment) {
  if (!experiment.artifact_location.empty()) return experiment.artifact_location;
  return fmt::format("mlflow-artifacts:/{}", experiment.experiment_id);
}

static std::string without_slashes_before(std::string_view path) {
  return std::string(path.substr(std::min(path.find_first_not_of('/'), path.size())));
}

std::string path_of_artifact_uri(const std::string& uri) {
  constexpr std::string_view scheme = "mlflow-artifacts:";
  constexpr std::string_view address = "/api/2.0/mlflow-artifacts/artifacts/";
  std::string_view rest = uri;
  if (rest.starts_with(scheme)) {
    rest.remove_prefix(scheme.size());
    if (rest.starts_with("//")) rest.remove_prefix(std::min(rest.find('/', 2), rest.size()));  // the host
    return without_slashes_before(rest);
  }
  const auto found = rest.find(address);
  if (rest.starts_with("http") && found != std::string_view::npos) {
    return without_slashes_before(rest.substr(found + address.size()));
  }
  throw MlflowError(ErrorCode::not_implemented,
                    fmt::format("The artifacts at '{}' are not served here: read them there", uri));
}

std::string without_slash_after(std::string path_or_uri) {
  while (path_or_uri.ends_with('/')) path_or_uri.pop_back();
  return path_or_uri;
}

}  // namespace lockstep::history::server::mlflow
