#include "history/server/mlflow/entities.hpp"

namespace lockstep::history::server::mlflow {

static std::string_view word_of(LoggedModelStatus status) {
  switch (status) {
    case LoggedModelStatus::pending:
      return "LOGGED_MODEL_PENDING";
    case LoggedModelStatus::ready:
      return "LOGGED_MODEL_READY";
    case LoggedModelStatus::failed:
      break;
  }
  return "LOGGED_MODEL_UPLOAD_FAILED";
}

static void write_info(JsonText& out, const LoggedModel& model) {
  out.begin_object();
  out.member("model_id", std::string_view(model.model_id));
  out.member("experiment_id", std::string_view(model.experiment_id));
  out.member("name", std::string_view(model.name));
  out.member("creation_timestamp_ms", model.created_ms);
  out.member("last_updated_timestamp_ms", model.updated_ms);
  out.member("artifact_uri", std::string_view(model.artifact_uri));
  out.member("status", word_of(model.status));
  out.member("model_type", std::string_view(model.model_type));
  out.member("source_run_id", std::string_view(model.source_run_id));
  out.member_if_set("status_message", model.status_message);
  if (!model.tags.empty()) {
    out.key("tags");
    write(out, model.tags);
  }
  out.end_object();
}

static void write(JsonText& out, const ModelMetric& metric, const std::string& model_id) {
  out.begin_object();
  out.member("key", std::string_view(metric.metric.key));
  out.member("value", metric.metric.value);
  out.member("timestamp", metric.metric.timestamp_ms);
  out.member("step", metric.metric.step);
  out.member_if_set("dataset_name", metric.dataset_name);
  out.member_if_set("dataset_digest", metric.dataset_digest);
  out.member("model_id", std::string_view(model_id));
  out.member("run_id", std::string_view(metric.run_id));
  out.end_object();
}

void write(JsonText& out, const LoggedModel& model) {
  out.begin_object();
  out.key("info");
  write_info(out, model);
  out.key("data");
  out.begin_object();
  if (!model.params.empty()) {
    out.key("params");
    write(out, model.params);
  }
  if (!model.metrics.empty()) {
    out.key("metrics");
    out.begin_array();
    for (const ModelMetric& metric : model.metrics) write(out, metric, model.model_id);
    out.end_array();
  }
  out.end_object();
  out.end_object();
}

}  // namespace lockstep::history::server::mlflow
