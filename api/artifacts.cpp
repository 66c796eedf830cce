#include "api/parameters.hpp"
#include "api/replies.hpp"
#include "history/server/artifact_paths.hpp"
#include "history/server/mlflow/artifact_files.hpp"
#include "history/server/mlflow/artifact_uris.hpp"
#include "history/server/mlflow/entities.hpp"

namespace lockstep::api {

namespace mlflow = history::server::mlflow;

// Below mlflow-artifacts:/; what a client keeps elsewhere is not ours to show.
static std::string artifact_root(Store& store, const std::string& name) {
  return mlflow::path_of_artifact_uri(mlflow::artifact_uri_of(store.get_run(name)));
}

Routes artifact_routes(const Workspace& workspace) {
  const auto list = [workspace](const Request& request) -> Work {
    const Parameters given(request, {"path"});
    return [workspace, name = request.captured.at(0), path = given.text("path")](Store& store) {
      const fs::path root = history::server::artifact_path(workspace, artifact_root(store, name));
      return json_reply({{"files", artifacts_json(history::list_artifacts(root, path))}});
    };
  };
  const auto download = [workspace](const Request& request) -> Work {
    const Parameters none(request, {});
    return [workspace, name = request.captured.at(0), path = request.captured.at(1)](Store& store) {
      return mlflow::file_reply(workspace, artifact_root(store, name) + "/" + path);
    };
  };
  return {get("/api/v1/jobs/{name}/artifacts", list), get("/api/v1/jobs/{name}/artifacts/{path...}", download)};
}

}  // namespace lockstep::api
