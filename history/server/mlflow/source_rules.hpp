// Which sources a client may register: MLflow's rules, so that a registered model never leads to files of this machine
// that the client couldn't have read otherwise. Every check throws MlflowError.
#pragma once

#include <string>

#include "history/store/store.hpp"

namespace lockstep::history::server::mlflow {

// Refuses schemes that make MLflow's own server connect to a host that a client chose, unless
// MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES has them (with commas between).
void check_host(const std::string& source);

// A local path or an artifact of this server must lie in the run's artifacts, or the logged model's; the id may be
// empty.
void check_source_of_run(Store& store, const std::string& source, const std::string& run_id);
void check_source_of_model(Store& store, const std::string& source, const std::string& model_id);

// "... The run_id request parameter must identify the resource that contains the source."
[[noreturn]] void source_is_not_of(const char* parameter, const std::string& source);

}  // namespace lockstep::history::server::mlflow
