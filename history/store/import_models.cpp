#include <algorithm>

#include "history/store/limits.hpp"
#include "history/store/logged_model_rows.hpp"
#include "history/store/registry_rows.hpp"
#include "history/store/registry_rules.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

static void insert_version(Database& database, std::int64_t model, const ModelVersion& version) {
  if (version.version < 1) throw bad_input("model '{}': {} is no version", version.name, version.version);
  for (const KeyValue& tag : version.tags) registry_rules::check_tag(tag);
  database
      .query(
          "INSERT INTO model_versions (model, version, stage, description, user_id, source, storage_location, run_id, "
          "model_id, run_link, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(model, version.version, registry_rules::canonical_stage(version.stage), version.description,
            version.user_id, version.source,
            version.storage_location.empty() ? version.source : version.storage_location, version.run_id,
            version.model_id, version.run_link, version.created_ms, version.updated_ms)
      .run();
  for (const KeyValue& tag : version.tags) registry_rows::set_version_tag(database, model, version.version, tag);
}

static int greatest_version(const ImportedModel& model) {
  int greatest = model.newest_version;
  for (const ModelVersion& each : model.versions) greatest = std::max(greatest, each.version);
  return greatest;
}

static void insert_aliases(Database& database, std::int64_t model, const ImportedModel& given) {
  for (const ModelAlias& each : given.model.aliases) {
    registry_rules::check_alias(each.alias);
    const auto has_number = [&](const ModelVersion& version) { return version.version == each.version; };
    if (std::none_of(given.versions.begin(), given.versions.end(), has_number)) {
      throw bad_input("model '{}': the alias '{}' is of version {}, which is not there", given.model.name, each.alias,
                      each.version);
    }
    database.query("INSERT INTO model_aliases (model, alias, version) VALUES (?, ?, ?)")
        .bind(model, each.alias, each.version)
        .run();
  }
}

// The number of the new row; nullopt: the name is taken. (An open query would hold up the commit.)
static std::optional<std::int64_t> insert_model(Database& database, const ImportedModel& given) {
  Query row = database.query(
      "INSERT INTO registered_models (name, description, newest_version, created_ms, updated_ms) "
      "VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING RETURNING model");
  row.bind(given.model.name, given.model.description, greatest_version(given), given.model.created_ms,
           given.model.updated_ms);
  return row.one_number();
}

bool SqlStore::import_registered_model(const ImportedModel& given) {
  registry_rules::check_model_name(given.model.name);
  for (const KeyValue& tag : given.model.tags) registry_rules::check_tag(tag);
  Transaction transaction(database_, Survives::process_death);
  const auto number = insert_model(database_, given);
  if (!number) return false;
  for (const KeyValue& tag : given.model.tags) registry_rows::set_model_tag(database_, *number, tag);
  for (const ModelVersion& version : given.versions) insert_version(database_, *number, version);
  insert_aliases(database_, *number, given);
  transaction.commit();
  return true;
}

int SqlStore::newest_version(const std::string& name) {
  Query found = database_.query("SELECT newest_version FROM registered_models WHERE name = ?");
  if (!found.bind(name).step()) throw not_found("Registered Model with name={} not found", name);
  return static_cast<int>(found.integer(0));
}

static void insert_model_metrics(Database& database, std::int64_t number, const LoggedModel& model) {
  Query row = database.query(
      "INSERT INTO logged_model_metrics (model, key, timestamp_ms, step, value, run_id, dataset_name, dataset_digest) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (const ModelMetric& each : model.metrics) {
    if (const auto mistake = limits::mistake_in_metric(each.metric)) throw bad_input("{}", *mistake);
    row.bind(number, each.metric.key, each.metric.timestamp_ms, each.metric.step, each.metric.value, each.run_id,
             each.dataset_name, each.dataset_digest)
        .run_again();
  }
}

static std::optional<std::int64_t> insert_logged_model(Database& database, const LoggedModel& model) {
  Query row = database.query(
      "INSERT INTO logged_models (model_id, experiment_id, name, artifact_uri, model_type, source_run_id, status, "
      "status_message, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (model_id) DO NOTHING RETURNING number");
  row.bind(model.model_id, limits::experiment_number(model.experiment_id), model.name, model.artifact_uri,
           model.model_type, model.source_run_id, status_number(model.status), model.status_message, model.created_ms,
           model.updated_ms);
  return row.one_number();
}

bool SqlStore::import_logged_model(const LoggedModel& model) {
  Transaction transaction(database_, Survives::process_death);
  const auto number = insert_logged_model(database_, model);
  if (!number) return false;
  set_logged_model_tags(model.model_id, model.tags);
  log_logged_model_params(model.model_id, model.params);
  insert_model_metrics(database_, *number, model);
  transaction.commit();
  return true;
}

}  // namespace lockstep::history
