// MLflow's own web pages over this history: the files of an installed `mlflow` package, below /mlflow/.
#pragma once

#include "api/routes.hpp"
#include "common/file.hpp"

namespace lockstep::api {

// `folder`: mlflow/server/js/build. Throws bad_input when no pages lie there. What they ask, relative to /mlflow/, is
// answered by `rest`. Of a client without a token they are served what a browser needs to ask its user for one.
Routes mlflow_ui_routes(const fs::path& folder, const Routes& rest);

}  // namespace lockstep::api
