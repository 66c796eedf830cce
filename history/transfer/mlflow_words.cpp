#include "history/transfer/mlflow_words.hpp"

namespace lockstep::history::transfer {

RunState state_of_status(const std::string& status) {
  for (const RunState each : {RunState::completed, RunState::failed, RunState::canceled, RunState::queued}) {
    if (status == mlflow_status(each)) return each;
  }
  return RunState::running;
}

RunState state_of_status(int status) {
  switch (status) {
    case 2:
      return RunState::queued;
    case 3:
      return RunState::completed;
    case 4:
      return RunState::failed;
    case 5:
      return RunState::canceled;
    default:
      return RunState::running;
  }
}

Lifecycle lifecycle_of(const std::string& stage) {
  return stage == "deleted" ? Lifecycle::archived : Lifecycle::active;
}

LoggedModelStatus logged_model_status(std::int64_t status) {
  if (status == 2) return LoggedModelStatus::ready;
  return status == 3 ? LoggedModelStatus::failed : LoggedModelStatus::pending;
}

void complete(FullRun& run) {
  run.run.reported = true;
  run.run.created_ms = run.run.started_ms;
  if (!is_terminal(run.run.state)) run.run.ended_ms = 0;
  for (const KeyValue& tag : run.tags) {
    if (tag.key == "mlflow.parentRunId") run.run.parent_run_id = tag.value;
    if (tag.key == "mlflow.runName" && run.run.display_name.empty()) run.run.display_name = tag.value;
    if (tag.key == "mlflow.user" && run.run.user_id.empty()) run.run.user_id = tag.value;
  }
}

}  // namespace lockstep::history::transfer
