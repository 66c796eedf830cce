#include "history/server/mlflow/existing_run.hpp"

#include "history/store/limits.hpp"

namespace lockstep::history::server::mlflow {

std::string run_id_of(const Fields& fields) {
  std::string run_id = fields.text("run_id");
  if (run_id.empty()) run_id = fields.text("run_uuid");
  if (run_id.empty()) missing_value("run_id");
  if (limits::mistake_in_run_id(run_id)) invalid_value("run_id", run_id, "");
  return run_id;
}

void check_experiment_is_active(Store& store, const std::string& experiment_id) {
  try {
    if (store.get_experiment_by_id(experiment_id).lifecycle == Lifecycle::active) return;
  } catch (const Error& error) {
    if (error.code() != ExitCode::not_found) throw;
    throw does_not_exist("No Experiment with id={} exists", experiment_id);
  }
  throw invalid_parameter("The experiment {} must be in the 'active' state. Current state is deleted.", experiment_id);
}

}  // namespace lockstep::history::server::mlflow
