#include "history/server/mlflow/routes.hpp"

namespace lockstep::history::server::mlflow {

static void add(Routes& routes, const Route& route) {
  for (const char* prefix : {"/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/"}) {
    routes.push_back(route);
    routes.back().pattern = prefix + route.pattern;
  }
}

void add_route(Routes& routes, Verb verb, const std::string& path, Access access,
               const std::function<Work(const Request&)>& handler) {
  add(routes, {.verb = verb, .pattern = path, .access = access, .handler = handler});
}

void add_removing_route(Routes& routes, Verb verb, const std::string& path,
                        const std::function<Work(const Request&)>& handler) {
  add(routes, {.verb = verb, .pattern = path, .access = Access::write, .handler = handler, .asks_for = Scope::admin});
}

Routes routes(const Workspace& workspace) {
  Routes all;
  for (const Routes& some :
       {experiment_routes(), run_routes(), batch_routes(), metric_routes(), search_routes(), registry_routes(),
        logged_model_routes(), artifact_routes(workspace), server_info_routes()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  for (Route& each : graphql_routes(all)) all.push_back(std::move(each));
  return all;
}

}  // namespace lockstep::history::server::mlflow
