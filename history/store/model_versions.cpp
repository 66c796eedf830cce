#include "common/clock.hpp"
#include "history/store/registry_rows.hpp"
#include "history/store/registry_rules.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

using registry_rows::number_of_model_with;

// The next number. It stays taken when the version is deleted: what was said of version 3 must never be true of
// another one.
static int take_version_number(Database& database, std::int64_t model) {
  database.query("UPDATE registered_models SET newest_version = newest_version + 1 WHERE model = ?").bind(model).run();
  Query taken = database.query("SELECT newest_version FROM registered_models WHERE model = ?");
  taken.bind(model).step();
  return static_cast<int>(taken.integer(0));
}

ModelVersion SqlStore::create_model_version(const NewModelVersion& version) {
  registry_rules::check_model_name(version.name);
  for (const auto& tag : version.tags) registry_rules::check_tag(tag);
  Transaction transaction(database_, Survives::power_loss);
  const std::int64_t model = registry_rows::number_of_model(database_, version.name);
  const int number = take_version_number(database_, model);
  const std::int64_t now = now_ms();
  const std::string& location = version.storage_location.empty() ? version.source : version.storage_location;
  database_
      .query(
          "INSERT INTO model_versions (model, version, description, user_id, source, storage_location, run_id, "
          "model_id, run_link, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(model, number, version.description, version.user_id, version.source, location, version.run_id,
            version.model_id, version.run_link, now, now)
      .run();
  for (const auto& tag : version.tags) registry_rows::set_version_tag(database_, model, number, tag);
  registry_rows::set_updated(database_, model, now);
  ModelVersion created = registry_rows::model_version(database_, model, number);
  transaction.commit();
  return created;
}

ModelVersion SqlStore::get_model_version(const std::string& name, int version) {
  const Snapshot snapshot(database_);
  return registry_rows::model_version(database_, number_of_model_with(database_, name, version), version);
}

ModelVersion SqlStore::describe_model_version(const std::string& name, int version, const std::string& description) {
  Transaction transaction(database_, Survives::power_loss);
  const std::int64_t model = number_of_model_with(database_, name, version);
  database_.query("UPDATE model_versions SET description = ?, updated_ms = ? WHERE model = ? AND version = ?")
      .bind(description, now_ms(), model, version)
      .run();
  ModelVersion described = registry_rows::model_version(database_, model, version);
  transaction.commit();
  return described;
}

ModelVersion SqlStore::move_model_version(const std::string& name, int version, const std::string& stage,
                                          bool archive_existing) {
  const std::string canonical = registry_rules::canonical_stage(stage);
  if (archive_existing && canonical != "Staging" && canonical != "Production") {
    throw failure(
        "Model version transition cannot archive existing model versions because '{}' is not an Active stage. Valid "
        "stages are ['Staging', 'Production']",
        stage);
  }
  Transaction transaction(database_, Survives::power_loss);
  const std::int64_t model = number_of_model_with(database_, name, version);
  const std::int64_t now = now_ms();
  if (archive_existing) {
    database_
        .query(
            "UPDATE model_versions SET stage = 'Archived', updated_ms = ? "
            "WHERE model = ? AND stage = ? AND version <> ?")
        .bind(now, model, canonical, version)
        .run();
  }
  database_.query("UPDATE model_versions SET stage = ?, updated_ms = ? WHERE model = ? AND version = ?")
      .bind(canonical, now, model, version)
      .run();
  registry_rows::set_updated(database_, model, now);
  ModelVersion moved = registry_rows::model_version(database_, model, version);
  transaction.commit();
  return moved;
}

void SqlStore::delete_model_version(const std::string& name, int version) {
  Transaction transaction(database_, Survives::power_loss);
  const std::int64_t model = number_of_model_with(database_, name, version);
  for (const char* table : {"model_aliases", "model_version_tags", "model_versions"}) {
    database_.query(fmt::format("DELETE FROM {} WHERE model = ? AND version = ?", table)).bind(model, version).run();
  }
  registry_rows::set_updated(database_, model, now_ms());
  transaction.commit();
}

void SqlStore::set_model_version_tag(const std::string& name, int version, const KeyValue& tag) {
  registry_rules::check_model_name(name);
  registry_rules::check_tag(tag);
  Transaction transaction(database_, Survives::power_loss);
  registry_rows::set_version_tag(database_, number_of_model_with(database_, name, version), version, tag);
  transaction.commit();
}

void SqlStore::delete_model_version_tag(const std::string& name, int version, const std::string& key) {
  registry_rules::check_model_name(name);
  registry_rules::check_tag_key(key);
  Transaction transaction(database_, Survives::power_loss);
  database_.query("DELETE FROM model_version_tags WHERE model = ? AND version = ? AND key = ?")
      .bind(number_of_model_with(database_, name, version), version, key)
      .run();
  transaction.commit();
}

}  // namespace lockstep::history
