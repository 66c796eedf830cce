// Where the web pages of an installed MLflow lie.
#pragma once

#include "common/file.hpp"

namespace lockstep::cli {

// Those of the package that python3 of PATH would import. Throws not_found, with the remedy, when there are none.
fs::path find_mlflow_pages();

}  // namespace lockstep::cli
