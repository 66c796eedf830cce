#include "history/server/mlflow/entities.hpp"

namespace lockstep::history::server::mlflow {

static const char* stage_of(Lifecycle lifecycle) { return lifecycle == Lifecycle::active ? "active" : "deleted"; }

static void write_pair(JsonText& out, const KeyValue& pair) {
  out.begin_object();
  out.member("key", std::string_view(pair.key));
  out.member("value", std::string_view(pair.value));
  out.end_object();
}

void write(JsonText& out, const std::vector<KeyValue>& pairs) {
  out.begin_array();
  for (const KeyValue& each : pairs) write_pair(out, each);
  out.end_array();
}

// Lists that are empty do not appear.
template <class Element, class Write>
static void write_list(JsonText& out, const char* name, const std::vector<Element>& elements, const Write& write_one) {
  if (elements.empty()) return;
  out.key(name);
  out.begin_array();
  for (const Element& each : elements) write_one(each);
  out.end_array();
}

void write(JsonText& out, const Experiment& experiment) {
  out.begin_object();
  out.member("experiment_id", std::string_view(experiment.experiment_id));
  out.member("name", std::string_view(experiment.name));
  out.member("artifact_location", std::string_view(artifact_location_of(experiment)));
  out.member("lifecycle_stage", stage_of(experiment.lifecycle));
  out.member("last_update_time", experiment.updated_ms);
  out.member("creation_time", experiment.created_ms);
  write_list(out, "tags", experiment.tags, [&](const KeyValue& each) { write_pair(out, each); });
  out.end_object();
}

void write_info(JsonText& out, const Run& run) {
  out.begin_object();
  out.member("run_id", std::string_view(run.run_id));
  out.member("run_uuid", std::string_view(run.run_id));
  out.member("run_name", std::string_view(run.display_name));
  out.member("experiment_id", std::string_view(run.experiment_id));
  out.member("user_id", std::string_view(run.user_id));
  out.member("status", mlflow_status(run.state));
  out.member("start_time", run.started_ms != 0 ? run.started_ms : run.created_ms);
  if (run.ended_ms != 0) out.member("end_time", run.ended_ms);
  out.member("artifact_uri", std::string_view(artifact_uri_of(run)));
  out.member("lifecycle_stage", stage_of(run.lifecycle));
  out.end_object();
}

void write(JsonText& out, const Metric& metric) {
  out.begin_object();
  out.member("key", std::string_view(metric.key));
  out.member("value", metric.value);
  out.member("timestamp", metric.timestamp_ms);
  out.member("step", metric.step);
  out.end_object();
}

static void write(JsonText& out, const Dataset& dataset) {
  out.begin_object();
  out.member("name", std::string_view(dataset.name));
  out.member("digest", std::string_view(dataset.digest));
  out.member("source_type", std::string_view(dataset.source_type));
  out.member("source", std::string_view(dataset.source));
  out.member_if_set("schema", dataset.schema);
  out.member_if_set("profile", dataset.profile);
  out.end_object();
}

static void write(JsonText& out, const DatasetInput& input) {
  out.begin_object();
  write_list(out, "tags", input.tags, [&](const KeyValue& each) { write_pair(out, each); });
  out.key("dataset");
  write(out, input.dataset);
  out.end_object();
}

void write(JsonText& out, const FullRun& run) {
  out.begin_object();
  out.key("info");
  write_info(out, run.run);
  out.key("data");
  out.begin_object();
  write_list(out, "metrics", run.metrics, [&](const Metric& each) { write(out, each); });
  write_list(out, "params", run.params, [&](const KeyValue& each) { write_pair(out, each); });
  write_list(out, "tags", run.tags, [&](const KeyValue& each) { write_pair(out, each); });
  out.end_object();
  out.key("inputs");
  out.begin_object();
  write_list(out, "dataset_inputs", run.datasets, [&](const DatasetInput& each) { write(out, each); });
  write_list(out, "model_inputs", run.models_in, [&](const ModelUse& each) {
    out.begin_object();
    out.member("model_id", std::string_view(each.model_id));
    out.end_object();
  });
  out.end_object();
  out.key("outputs");
  out.begin_object();
  write_list(out, "model_outputs", run.models_out, [&](const ModelUse& each) {
    out.begin_object();
    out.member("model_id", std::string_view(each.model_id));
    out.member("step", each.step);
    out.end_object();
  });
  out.end_object();
  out.end_object();
}

}  // namespace lockstep::history::server::mlflow
