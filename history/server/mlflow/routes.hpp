// The routes of MLflow's REST API. Each is served under /api and /ajax-api.
#pragma once

#include "common/run_folder.hpp"
#include "history/server/route.hpp"

namespace lockstep::history::server::mlflow {

Routes experiment_routes();
Routes run_routes();
Routes batch_routes();  // log-metric, log-parameter, log-batch, set-tag, delete-tag, inputs and outputs
Routes metric_routes();
Routes search_routes();
Routes registry_routes();
Routes logged_model_routes();
Routes artifact_routes(const Workspace& workspace);
Routes server_info_routes();
Routes graphql_routes(Routes rest);  // answered by these

// All of them.
Routes routes(const Workspace& workspace);

// A route of MLflow's 2.0 API, `path` without its prefix ("runs/create"): once for /api and once for /ajax-api.
void add_route(Routes& routes, Verb verb, const std::string& path, Access access,
               const std::function<Work(const Request&)>& handler);
// The same for what removes or renames: it asks for Scope::admin.
void add_removing_route(Routes& routes, Verb verb, const std::string& path,
                        const std::function<Work(const Request&)>& handler);

}  // namespace lockstep::history::server::mlflow
