#include "api/job_json.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "common/clock.hpp"
#include "common/file.hpp"
#include "common/utf8.hpp"
#include "launcher/supervise/ending.hpp"

namespace lockstep::api {

// Its last words stay when it is killed while it waits.
static std::string queue_of(const RunFolder& folder, const history::Run& run) {
  if (run.state != history::RunState::queued) return "";
  std::string text = read_file_if_exists(folder.queue_file(), 4096).value_or("");
  while (text.ends_with('\n')) text.pop_back();
  return replace_invalid_utf8(text);
}

JobDetails read_details(history::Store& store, const Workspace& workspace, const std::string& run_id) {
  return read_details(store, workspace, run_id, store.latest_metrics(run_id));
}

JobDetails read_details(history::Store& store, const Workspace& workspace, const std::string& run_id,
                        std::vector<history::Metric> metrics) {
  const RunFolder folder = workspace.run(run_id);
  const auto ending = supervise::read_ending(folder);
  history::Run run = store.get_run(run_id);
  std::string queue = queue_of(folder, run);
  return {std::move(run),
          store.params(run_id),
          store.tags(run_id),
          std::move(metrics),
          store.state_history(run_id),
          ending ? ending->failure : std::nullopt,
          history::list_artifacts(folder.outputs(), ""),
          std::move(queue)};
}

static Json time_json(std::int64_t milliseconds) {
  return milliseconds == 0 ? Json(nullptr) : Json(iso8601(milliseconds));
}

static Json text_json(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json number_json(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

std::int64_t duration_ms(const history::Run& run, std::int64_t now_ms) {
  if (run.started_ms == 0) return 0;
  return std::max<std::int64_t>(0, (run.ended_ms != 0 ? run.ended_ms : now_ms) - run.started_ms);
}

Json job_json(const history::Run& run, const Workspace& workspace) {
  Json job;
  job["name"] = run.run_id;
  job["display_name"] = run.display_name;
  job["experiment_name"] = run.experiment_name;
  job["experiment_id"] = run.experiment_id;
  job["type"] = "command";
  job["status"] = history::name_of(run.state);
  job["reason"] = text_json(run.outcome.reason);
  job["exit_code"] = optional_json(run.outcome.exit_code);
  job["signal"] = optional_json(run.outcome.signal);
  job["first_failed_rank"] = optional_json(run.outcome.first_failed_rank);
  job["compute"] = run.compute;
  job["creation_context"] = {{"created_at", iso8601(run.created_ms)}, {"created_by", run.user_id}};
  job["start_time"] = time_json(run.started_ms);
  job["end_time"] = time_json(run.ended_ms);
  job["parent_job_name"] = text_json(run.parent_run_id);
  job["duration_ms"] = duration_ms(run, now_ms());
  job["supervised"] = !run.reported;
  job["archived"] = run.lifecycle == history::Lifecycle::archived;
  job["run_folder"] = workspace.run(run.run_id).root().string();
  return job;
}

// For keys that differ, as a run's do: the object's own ways look through all of its members first, n times n in sum.
static void append(Json& object, const std::string& key, Json value) {
  object.get_ref<Json::object_t&>().push_back({key, std::move(value)});
}

static Json pairs_json(const std::vector<history::KeyValue>& pairs) {
  Json object = Json::object();
  for (const auto& pair : pairs) append(object, pair.key, pair.value);
  return object;
}

// Some tags of MLflow's say what fields above say already: those are shown once.
static std::vector<history::KeyValue> tags_beside_fields(const JobDetails& details) {
  const history::KeyValue fields[] = {{"mlflow.runName", details.run.display_name},
                                      {"mlflow.user", details.run.user_id},
                                      {"mlflow.parentRunId", details.run.parent_run_id}};
  std::vector<history::KeyValue> tags;
  for (const auto& tag : details.tags) {
    if (std::find(std::begin(fields), std::end(fields), tag) == std::end(fields)) tags.push_back(tag);
  }
  return tags;
}

static Json failure_json(const std::optional<supervise::FailureLog>& failure) {
  if (!failure) return nullptr;
  return {{"log", failure->file}, {"last_lines", failure->last_lines}, {"hint", text_json(failure->hint)}};
}

Json job_json(const JobDetails& details, const Workspace& workspace) {
  Json job = job_json(details.run, workspace);
  job["queue"] = text_json(details.queue);
  job["tags"] = pairs_json(tags_beside_fields(details));
  job["params"] = pairs_json(details.params);
  job["metrics"] = Json::object();
  Json& metrics = job["metrics"];
  for (const auto& metric : details.metrics) append(metrics, metric.key, number_json(metric.value));
  job["failure_details"] = failure_json(details.failure);
  job["artifacts"] = artifacts_json(details.artifacts);
  job["state_history"] = Json::array();
  for (const auto& change : details.changes) {
    job["state_history"].push_back({{"status", history::name_of(change.state)},
                                    {"time", iso8601(change.timestamp_ms)},
                                    {"reason", text_json(change.reason)}});
  }
  return job;
}

Json artifacts_json(const std::vector<history::Artifact>& artifacts) {
  Json files = Json::array();
  for (const auto& each : artifacts) {
    const Json bytes = each.is_folder ? Json(nullptr) : Json(each.bytes);
    files.push_back({{"path", each.path}, {"is_dir", each.is_folder}, {"file_size", bytes}});
  }
  return files;
}

}  // namespace lockstep::api
