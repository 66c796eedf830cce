#include "history/server/mlflow/routes.hpp"

namespace lockstep::history::server::mlflow {

void add_route(Routes& routes, Verb verb, const std::string& path, Access access,
               const std::function<Work(const Request&)>& handler) {
  for (const char* prefix : {"/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/"}) {
    routes.push_back({.verb = verb, .pattern = prefix + path, .access = access, .handler = handler});
  }
}

Routes routes(const Workspace& workspace) {
  Routes all;
  for (const Routes& some :
       {experiment_routes(), run_routes(), batch_routes(), metric_routes(), search_routes(), registry_routes(),
        logged_model_routes(), artifact_routes(workspace), server_info_routes()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace lockstep::history::server::mlflow
