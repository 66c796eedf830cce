// Ids in requests, and MLflow's errors for those that nobody has.
#pragma once

#include <string>

#include "history/server/mlflow/error.hpp"
#include "history/server/mlflow/fields.hpp"
#include "history/store/store.hpp"

namespace lockstep::history::server::mlflow {

// run_id, or run_uuid as older clients call it. Throws MlflowError if it is missing or can't be one.
std::string run_id_of(const Fields& fields);

void check_experiment_is_active(Store& store, const std::string& experiment_id);

// What `action` gives; a not_found that it throws becomes MLflow's for this run.
template <class Action>
Reply with_run(const std::string& run_id, const Action& action) {
  try {
    return action();
  } catch (const Error& error) {
    if (error.code() != ExitCode::not_found) throw;
    throw does_not_exist("Run with id={} not found", run_id);
  }
}

}  // namespace lockstep::history::server::mlflow
