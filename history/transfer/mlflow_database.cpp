#include "history/transfer/mlflow_database.hpp"

#include <limits>

#include "common/error.hpp"
#include "history/transfer/mlflow_words.hpp"

namespace lockstep::history::transfer {

namespace {
// The values of all keys of a run, each key's by step, then time.
class SeriesOfDatabase {
 public:
  SeriesOfDatabase(SqliteRows& rows, const std::string& run_id) : rows_(rows) {
    rows_.restart();
    more_ = rows_.bind(run_id).next();
  }

  bool next(std::string& key, std::vector<Metric>& points) {
    points.clear();
    if (!more_) return false;
    key = rows_.text(0);
    while (more_ && points.size() < longest_piece && rows_.text(0) == key) {
      const bool is_nan = rows_.integer(2) != 0 || rows_.is_null(1);
      const double value = is_nan ? std::numeric_limits<double>::quiet_NaN() : rows_.real(1);
      points.push_back({{}, value, rows_.integer(3), rows_.integer(4)});
      more_ = rows_.next();
    }
    return true;
  }

 private:
  SqliteRows& rows_;
  bool more_ = false;
};
}  // namespace

bool is_mlflow_database(const SqliteFile& file) {
  return file.has_table("alembic_version") && file.has_table("experiments") && file.has_table("latest_metrics") &&
         file.column("runs", "run_uuid") != "NULL";
}

MlflowDatabase::MlflowDatabase(const fs::path& file) : file_(file) {
  if (!is_mlflow_database(file_)) throw bad_input("{} is no database of MLflow 1.0 or later", file.string());
}

std::vector<KeyValue> MlflowDatabase::pairs(const std::string& sql, const std::string& of) const {
  SqliteRows rows(file_, sql);
  rows.bind(of);
  std::vector<KeyValue> all;
  while (rows.next()) all.push_back({rows.text(0), rows.text(1)});
  return all;
}

void MlflowDatabase::give(Sink& sink) {
  give_experiments(sink);
  give_runs(sink);
  if (file_.has_table("logged_models")) give_logged_models(sink);
  if (file_.has_table("registered_models")) give_registry(sink);
  sink.end();
}

void MlflowDatabase::give_experiments(Sink& sink) {
  SqliteRows rows(file_, fmt::format("SELECT experiment_id, name, artifact_location, lifecycle_stage, {}, {} FROM "
                                     "experiments ORDER BY experiment_id",
                                     file_.column("experiments", "creation_time"),
                                     file_.column("experiments", "last_update_time")));
  const bool has_tags = file_.has_table("experiment_tags");
  while (rows.next()) {
    Experiment experiment;
    experiment.experiment_id = rows.text(0);
    experiment.name = rows.text(1);
    experiment.artifact_location = rows.text(2);
    experiment.lifecycle = lifecycle_of(rows.text(3));
    experiment.created_ms = rows.integer(4);
    experiment.updated_ms = rows.integer(5);
    if (has_tags) {
      experiment.tags = pairs("SELECT key, value FROM experiment_tags WHERE experiment_id = ? ORDER BY key",
                              experiment.experiment_id);
    }
    sink.take(experiment);
  }
}

void MlflowDatabase::give_runs(Sink& sink) {
  SqliteRows rows(file_,
                  "SELECT run_uuid, experiment_id, name, user_id, artifact_uri, status, lifecycle_stage, start_time, "
                  "end_time FROM runs ORDER BY start_time, run_uuid");
  SqliteRows metrics(file_,
                     "SELECT key, value, is_nan, timestamp, step FROM metrics WHERE run_uuid = ? "
                     "ORDER BY key, step, timestamp, rowid");
  while (rows.next()) {
    FullRun run;
    run.run.run_id = rows.text(0);
    run.run.experiment_id = rows.text(1);
    run.run.display_name = rows.text(2);
    run.run.user_id = rows.text(3);
    run.run.artifact_uri = rows.text(4);
    run.run.state = state_of_status(rows.text(5));
    run.run.lifecycle = lifecycle_of(rows.text(6));
    run.run.started_ms = rows.integer(7);
    run.run.ended_ms = rows.integer(8);
    run.params = pairs("SELECT key, value FROM params WHERE run_uuid = ? ORDER BY key", run.run.run_id);
    run.tags = pairs("SELECT key, value FROM tags WHERE run_uuid = ? ORDER BY key", run.run.run_id);
    if (file_.has_table("inputs")) add_inputs(run);
    complete(run);
    SeriesOfDatabase series(metrics, run.run.run_id);
    sink.take(ImportedRun{std::move(run), {}},
              [&](std::string& key, std::vector<Metric>& points) { return series.next(key, points); });
  }
}

// `inputs` joins everything with everything: a dataset with the run that read it, a run with the models that it read
// and wrote.
void MlflowDatabase::add_inputs(FullRun& run) const {
  SqliteRows datasets(file_,
                      "SELECT d.name, d.digest, d.dataset_source_type, d.dataset_source, d.dataset_schema, "
                      "d.dataset_profile, i.input_uuid FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id "
                      "WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id = ? "
                      "ORDER BY i.rowid");
  datasets.bind(run.run.run_id);
  while (datasets.next()) {
    run.datasets.push_back(
        {{datasets.text(0), datasets.text(1), datasets.text(2), datasets.text(3), datasets.text(4), datasets.text(5)},
         pairs("SELECT name, value FROM input_tags WHERE input_uuid = ? ORDER BY name", datasets.text(6))});
  }
  SqliteRows models(file_, fmt::format("SELECT destination_id, {}, destination_type FROM inputs WHERE source_id = ? "
                                       "AND (source_type, destination_type) IN (VALUES ('RUN_INPUT', 'MODEL_INPUT'), "
                                       "('RUN_OUTPUT', 'MODEL_OUTPUT')) ORDER BY rowid",
                                       file_.column("inputs", "step")));
  models.bind(run.run.run_id);
  while (models.next()) {
    auto& uses = models.text(2) == "MODEL_INPUT" ? run.models_in : run.models_out;
    uses.push_back({models.text(0), models.integer(1)});
  }
}

// A version that was deleted keeps its row, under a stage of its own.
static constexpr const char* deleted_stage = "Deleted_Internal";

std::vector<ModelVersion> MlflowDatabase::versions_of(const std::string& name) const {
  SqliteRows rows(file_, fmt::format("SELECT version, creation_time, last_updated_time, description, user_id, "
                                     "current_stage, source, {}, run_id, {} FROM model_versions WHERE name = ? "
                                     "ORDER BY version",
                                     file_.column("model_versions", "storage_location"),
                                     file_.column("model_versions", "run_link")));
  rows.bind(name);
  std::vector<ModelVersion> versions;
  while (rows.next()) {
    ModelVersion version;
    version.name = name;
    version.version = static_cast<int>(rows.integer(0));
    version.created_ms = rows.integer(1);
    version.updated_ms = rows.integer(2);
    version.description = rows.text(3);
    version.user_id = rows.text(4);
    version.stage = rows.is_null(5) ? "None" : rows.text(5);
    version.source = rows.text(6);
    version.storage_location = rows.text(7);
    version.run_id = rows.text(8);
    version.run_link = rows.text(9);
    if (file_.has_table("model_version_tags")) {
      version.tags =
          pairs(fmt::format("SELECT key, value FROM model_version_tags WHERE name = ? AND version = {} ORDER BY key",
                            version.version),
                name);
    }
    versions.push_back(std::move(version));
  }
  return versions;
}

void MlflowDatabase::give_registry(Sink& sink) {
  SqliteRows rows(file_,
                  "SELECT name, creation_time, last_updated_time, description FROM registered_models ORDER BY name");
  while (rows.next()) {
    ImportedModel given;
    given.model.name = rows.text(0);
    given.model.created_ms = rows.integer(1);
    given.model.updated_ms = rows.integer(2);
    given.model.description = rows.text(3);
    given.versions = versions_of(given.model.name);
    for (const ModelVersion& each : given.versions) given.newest_version = std::max(given.newest_version, each.version);
    std::erase_if(given.versions, [](const ModelVersion& each) { return each.stage == deleted_stage; });
    if (file_.has_table("registered_model_tags")) {
      given.model.tags =
          pairs("SELECT key, value FROM registered_model_tags WHERE name = ? ORDER BY key", given.model.name);
    }
    if (file_.has_table("registered_model_aliases")) {
      SqliteRows aliases(file_, "SELECT alias, version FROM registered_model_aliases WHERE name = ? ORDER BY alias");
      aliases.bind(given.model.name);
      while (aliases.next()) given.model.aliases.push_back({aliases.text(0), static_cast<int>(aliases.integer(1))});
    }
    sink.take(given);
  }
}

std::vector<ModelMetric> MlflowDatabase::metrics_of(const std::string& model_id) const {
  SqliteRows rows(file_,
                  "SELECT metric_name, metric_value, metric_timestamp_ms, metric_step, run_id, dataset_name, "
                  "dataset_digest FROM logged_model_metrics WHERE model_id = ? ORDER BY rowid");
  rows.bind(model_id);
  std::vector<ModelMetric> all;
  while (rows.next()) {
    const double value = rows.is_null(1) ? std::numeric_limits<double>::quiet_NaN() : rows.real(1);
    all.push_back({{rows.text(0), value, rows.integer(2), rows.integer(3)}, rows.text(4), rows.text(5), rows.text(6)});
  }
  return all;
}

void MlflowDatabase::give_logged_models(Sink& sink) {
  SqliteRows rows(file_,
                  "SELECT model_id, experiment_id, name, artifact_location, model_type, source_run_id, status, "
                  "status_message, creation_timestamp_ms, last_updated_timestamp_ms FROM logged_models WHERE "
                  "coalesce(lifecycle_stage, 'active') <> 'deleted' ORDER BY creation_timestamp_ms, model_id");
  while (rows.next()) {
    LoggedModel model;
    model.model_id = rows.text(0);
    model.experiment_id = rows.text(1);
    model.name = rows.text(2);
    model.artifact_uri = rows.text(3);
    model.model_type = rows.text(4);
    model.source_run_id = rows.text(5);
    model.status = logged_model_status(rows.integer(6));
    model.status_message = rows.text(7);
    model.created_ms = rows.integer(8);
    model.updated_ms = rows.integer(9);
    model.params =
        pairs("SELECT param_key, param_value FROM logged_model_params WHERE model_id = ? ORDER BY 1", model.model_id);
    model.tags =
        pairs("SELECT tag_key, tag_value FROM logged_model_tags WHERE model_id = ? ORDER BY 1", model.model_id);
    model.metrics = metrics_of(model.model_id);
    sink.take(model);
  }
}

}  // namespace lockstep::history::transfer
