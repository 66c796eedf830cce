// What registry.cpp and registry_versions.cpp share.
#pragma once

#include "history/server/mlflow/replies.hpp"
#include "history/server/mlflow/routes.hpp"
#include "history/server/mlflow/search_fields.hpp"

namespace lockstep::history::server::mlflow {

void add_model_version_routes(Routes& routes);  // model-versions/... and registered-models/alias

Reply reply_with(const ModelVersion& version);  // {"model_version": {...}}

}  // namespace lockstep::history::server::mlflow
