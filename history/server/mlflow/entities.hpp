// What the store keeps, as MLflow's replies spell it.
#pragma once

#include <string>
#include <vector>

#include "history/server/json_text.hpp"
#include "history/store/store.hpp"

namespace lockstep::history::server::mlflow {

void write(JsonText& out, const std::vector<KeyValue>& pairs);  // [{"key": ..., "value": ...}]
void write(JsonText& out, const Experiment& experiment);
void write_info(JsonText& out, const Run& run);
void write(JsonText& out, const FullRun& run);  // info, data, inputs, outputs
void write(JsonText& out, const Metric& metric);
void write(JsonText& out, const RegisteredModel& model);
void write(JsonText& out, const ModelVersion& version);
void write(JsonText& out, const LoggedModel& model);

// Where clients find the artifacts: "mlflow-artifacts:/<experiment_id>/<run_id>/artifacts" for what lies in the
// workspace, else what the store has. artifact_folder (artifact_paths.hpp) is the way back.
std::string artifact_uri_of(const Run& run);
std::string artifact_location_of(const Experiment& experiment);

}  // namespace lockstep::history::server::mlflow
