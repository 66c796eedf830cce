#include "history/transfer/archive_lines.hpp"

#include "history/server/json_text.hpp"
#include "history/transfer/archive_writer.hpp"

namespace lockstep::history::transfer {

using server::JsonText;

std::string_view name_of(Lifecycle lifecycle) { return lifecycle == Lifecycle::active ? "active" : "archived"; }

std::string_view name_of(LoggedModelStatus status) {
  switch (status) {
    case LoggedModelStatus::pending:
      return "pending";
    case LoggedModelStatus::ready:
      return "ready";
    case LoggedModelStatus::failed:
      break;
  }
  return "failed";
}

namespace {
void member(JsonText& json, const char* name, const std::string& text) { json.member_if_set(name, text); }
void member(JsonText& json, const char* name, std::int64_t number) {
  if (number != 0) json.member(name, number);
}
void member(JsonText& json, const char* name, const std::optional<int>& number) {
  if (number) json.member(name, *number);
}

void member(JsonText& json, const char* name, const std::vector<KeyValue>& pairs) {
  if (pairs.empty()) return;
  json.key(name);
  json.begin_object();
  for (const KeyValue& each : pairs) json.member(each.key, each.value);
  json.end_object();
}

// A list of objects: `write` gives the members of each.
template <class Each, class Write>
void list(JsonText& json, const char* name, const std::vector<Each>& all, const Write& write) {
  if (all.empty()) return;
  json.key(name);
  json.begin_array();
  for (const Each& each : all) {
    json.begin_object();
    write(each);
    json.end_object();
  }
  json.end_array();
}

// {"<kind>":{...}}
template <class Write>
std::string line(const char* kind, const Write& write) {
  JsonText json;
  json.begin_object();
  json.key(kind);
  json.begin_object();
  write(json);
  json.end_object();
  json.end_object();
  return json.take();
}

void fields_of(JsonText& json, const Run& run) {
  member(json, "run_id", run.run_id);
  member(json, "experiment_id", run.experiment_id);
  member(json, "parent_run_id", run.parent_run_id);
  member(json, "display_name", run.display_name);
  member(json, "user_id", run.user_id);
  member(json, "artifact_uri", run.artifact_uri);
  member(json, "compute", run.compute);
  json.member("state", history::name_of(run.state));
  member(json, "reason", run.outcome.reason);
  member(json, "exit_code", run.outcome.exit_code);
  member(json, "signal", run.outcome.signal);
  member(json, "first_failed_rank", run.outcome.first_failed_rank);
  json.member("lifecycle", name_of(run.lifecycle));
  member(json, "created_ms", run.created_ms);
  member(json, "started_ms", run.started_ms);
  member(json, "ended_ms", run.ended_ms);
  member(json, "epoch", run.epoch);
  if (run.reported) json.member("reported", true);
}

void uses(JsonText& json, const char* name, const std::vector<ModelUse>& all) {
  list(json, name, all, [&](const ModelUse& use) {
    member(json, "model_id", use.model_id);
    member(json, "step", use.step);
  });
}

void dataset(JsonText& json, const DatasetInput& input) {
  member(json, "name", input.dataset.name);
  member(json, "digest", input.dataset.digest);
  member(json, "source_type", input.dataset.source_type);
  member(json, "source", input.dataset.source);
  member(json, "schema", input.dataset.schema);
  member(json, "profile", input.dataset.profile);
  member(json, "tags", input.tags);
}

void version_fields(JsonText& json, const ModelVersion& version) {
  json.member("version", version.version);
  member(json, "created_ms", version.created_ms);
  member(json, "updated_ms", version.updated_ms);
  member(json, "user_id", version.user_id);
  member(json, "stage", version.stage);
  member(json, "description", version.description);
  member(json, "source", version.source);
  member(json, "storage_location", version.storage_location);
  member(json, "run_id", version.run_id);
  member(json, "model_id", version.model_id);
  member(json, "run_link", version.run_link);
  member(json, "tags", version.tags);
}

template <class Value>
void numbers(JsonText& json, const char* name, std::span<const Metric> points, Value Metric::*of) {
  json.key(name);
  json.begin_array();
  for (const Metric& each : points) json.value(each.*of);
  json.end_array();
}
}  // namespace

std::string first_line(std::int64_t exported_ms) {
  JsonText json;
  json.begin_object();
  json.member("lockstep_history", archive_version);
  json.member("exported_ms", exported_ms);
  json.end_object();
  return json.take();
}

std::string line_of(const Experiment& experiment) {
  return line("experiment", [&](JsonText& json) {
    member(json, "experiment_id", experiment.experiment_id);
    member(json, "name", experiment.name);
    member(json, "artifact_location", experiment.artifact_location);
    json.member("lifecycle", name_of(experiment.lifecycle));
    member(json, "created_ms", experiment.created_ms);
    member(json, "updated_ms", experiment.updated_ms);
    member(json, "tags", experiment.tags);
  });
}

std::string line_of(const ImportedRun& run) {
  return line("run", [&](JsonText& json) {
    fields_of(json, run.run.run);
    list(json, "states", run.states, [&](const StateChange& change) {
      json.member("state", history::name_of(change.state));
      member(json, "timestamp_ms", change.timestamp_ms);
      member(json, "reason", change.reason);
    });
    member(json, "params", run.run.params);
    member(json, "tags", run.run.tags);
    list(json, "datasets", run.run.datasets, [&](const DatasetInput& input) { dataset(json, input); });
    uses(json, "models_in", run.run.models_in);
    uses(json, "models_out", run.run.models_out);
  });
}

std::string line_of(const std::string& run_id, const std::string& key, std::span<const Metric> points) {
  return line("series", [&](JsonText& json) {
    json.member("run_id", run_id);
    json.member("key", key);
    numbers(json, "steps", points, &Metric::step);
    numbers(json, "timestamps", points, &Metric::timestamp_ms);
    numbers(json, "values", points, &Metric::value);
  });
}

std::string line_of(const ImportedModel& model) {
  return line("registered_model", [&](JsonText& json) {
    member(json, "name", model.model.name);
    member(json, "description", model.model.description);
    member(json, "created_ms", model.model.created_ms);
    member(json, "updated_ms", model.model.updated_ms);
    member(json, "newest_version", std::int64_t{model.newest_version});
    member(json, "tags", model.model.tags);
    if (!model.model.aliases.empty()) {
      json.key("aliases");
      json.begin_object();
      for (const ModelAlias& each : model.model.aliases) json.member(each.alias, each.version);
      json.end_object();
    }
    list(json, "versions", model.versions, [&](const ModelVersion& version) { version_fields(json, version); });
  });
}

std::string line_of(const LoggedModel& model) {
  return line("logged_model", [&](JsonText& json) {
    member(json, "model_id", model.model_id);
    member(json, "experiment_id", model.experiment_id);
    member(json, "name", model.name);
    member(json, "artifact_uri", model.artifact_uri);
    member(json, "model_type", model.model_type);
    member(json, "source_run_id", model.source_run_id);
    json.member("status", name_of(model.status));
    member(json, "status_message", model.status_message);
    member(json, "created_ms", model.created_ms);
    member(json, "updated_ms", model.updated_ms);
    member(json, "params", model.params);
    member(json, "tags", model.tags);
    list(json, "metrics", model.metrics, [&](const ModelMetric& each) {
      json.member("key", each.metric.key);
      json.member("value", each.metric.value);
      member(json, "timestamp_ms", each.metric.timestamp_ms);
      member(json, "step", each.metric.step);
      member(json, "run_id", each.run_id);
      member(json, "dataset_name", each.dataset_name);
      member(json, "dataset_digest", each.dataset_digest);
    });
  });
}

std::string last_line(const Counts& counts) {
  return line("end", [&](JsonText& json) {
    json.member("experiments", counts.experiments);
    json.member("runs", counts.runs);
    json.member("points", counts.points);
    json.member("models", counts.models);
  });
}

}  // namespace lockstep::history::transfer
