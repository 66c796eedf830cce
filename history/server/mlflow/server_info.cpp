// What clients of MLflow 3 ask a server before they choose how to talk to it.
#include "history/server/mlflow/replies.hpp"
#include "history/server/mlflow/routes.hpp"

namespace lockstep::history::server::mlflow {

static Reply server_info(Store&) {
  return object_reply([](JsonText& out) {
    out.member("store_type", "SqlStore");
    out.member("workspaces_enabled", false);
    out.member("trace_archival_enabled", false);
    out.member("multipart_uploads_enabled", true);
    out.member("multipart_downloads_enabled", false);
    out.key("features_enabled");
    out.begin_object();
    out.member("gateway", false);
    out.end_object();
  });
}

Routes server_info_routes() {
  Routes routes;
  for (const char* prefix : {"/api", "/ajax-api"}) {
    routes.push_back({.verb = Verb::get,
                      .pattern = std::string(prefix) + "/3.0/mlflow/server-info",
                      .access = Access::read,
                      .handler = [](const Request&) { return Work(server_info); }});
  }
  return routes;
}

}  // namespace lockstep::history::server::mlflow
