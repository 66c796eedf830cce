#include "history/store/registry_rows.hpp"

#include "common/error.hpp"
#include "history/store/registry_rules.hpp"

namespace lockstep::history::registry_rows {

std::int64_t number_of_model(Database& database, const std::string& name) {
  registry_rules::check_model_name(name);
  Query found = database.query("SELECT model FROM registered_models WHERE name = ?");
  if (!found.bind(name).step()) throw not_found("Registered Model with name={} not found", name);
  return found.integer(0);
}

std::int64_t number_of_model_with(Database& database, const std::string& name, int version) {
  registry_rules::check_model_name(name);
  Query found = database.query(
      "SELECT m.model FROM registered_models m JOIN model_versions v USING (model) WHERE m.name = ? AND v.version = ?");
  if (!found.bind(name, version).step()) {
    throw not_found("Model Version (name={}, version={}) not found", name, version);
  }
  return found.integer(0);
}

static std::vector<KeyValue> key_values(Query& rows) {
  std::vector<KeyValue> all;
  while (rows.step()) all.push_back({rows.text(0), rows.text(1)});
  return all;
}

static constexpr std::string_view version_columns =
    "SELECT v.model, v.version, m.name, v.created_ms, v.updated_ms, v.user_id, v.stage, v.description, v.source, "
    "v.storage_location, v.run_id, v.model_id, v.run_link FROM model_versions v JOIN registered_models m USING "
    "(model) ";

static ModelVersion version_of(Database& database, const Query& row) {
  const std::int64_t model = row.integer(0);
  ModelVersion version{.name = row.text(2),
                       .version = static_cast<int>(row.integer(1)),
                       .created_ms = row.integer(3),
                       .updated_ms = row.integer(4),
                       .user_id = row.text(5),
                       .stage = row.text(6),
                       .description = row.text(7),
                       .source = row.text(8),
                       .storage_location = row.text(9),
                       .run_id = row.text(10),
                       .model_id = row.text(11),
                       .run_link = row.text(12),
                       .tags = {},
                       .aliases = {}};
  Query tags = database.query("SELECT key, value FROM model_version_tags WHERE model = ? AND version = ? ORDER BY key");
  version.tags = key_values(tags.bind(model, version.version));
  return version;
}

ModelVersion listed_version(Database& database, std::int64_t model, int version) {
  Query row = database.query(std::string(version_columns) + "WHERE v.model = ? AND v.version = ?");
  row.bind(model, version).step();
  return version_of(database, row);
}

ModelVersion model_version(Database& database, std::int64_t model, int number) {
  ModelVersion version = listed_version(database, model, number);
  Query aliases = database.query("SELECT alias FROM model_aliases WHERE model = ? AND version = ? ORDER BY alias");
  aliases.bind(model, number);
  while (aliases.step()) version.aliases.push_back(aliases.text(0));
  return version;
}

RegisteredModel registered_model(Database& database, std::int64_t number) {
  Query row = database.query("SELECT name, created_ms, updated_ms, description FROM registered_models WHERE model = ?");
  row.bind(number).step();
  RegisteredModel model{.name = row.text(0),
                        .created_ms = row.integer(1),
                        .updated_ms = row.integer(2),
                        .description = row.text(3),
                        .tags = {},
                        .aliases = {},
                        .latest_versions = {}};
  Query tags = database.query("SELECT key, value FROM registered_model_tags WHERE model = ? ORDER BY key");
  model.tags = key_values(tags.bind(number));
  Query aliases = database.query("SELECT alias, version FROM model_aliases WHERE model = ? ORDER BY alias");
  aliases.bind(number);
  while (aliases.step()) model.aliases.push_back({aliases.text(0), static_cast<int>(aliases.integer(1))});
  Query latest = database.query(
      std::string(version_columns) +
      "WHERE v.model = ?1 AND v.version IN (SELECT max(version) FROM model_versions WHERE model = ?1 GROUP BY stage) "
      "ORDER BY v.version");
  latest.bind(number);
  while (latest.step()) model.latest_versions.push_back(version_of(database, latest));
  return model;
}

void set_updated(Database& database, std::int64_t model, std::int64_t now) {
  database.query("UPDATE registered_models SET updated_ms = ? WHERE model = ?").bind(now, model).run();
}

void set_model_tag(Database& database, std::int64_t model, const KeyValue& tag) {
  database
      .query(
          "INSERT INTO registered_model_tags (model, key, value) VALUES (?, ?, ?) "
          "ON CONFLICT (model, key) DO UPDATE SET value = excluded.value")
      .bind(model, tag.key, tag.value)
      .run();
}

void set_version_tag(Database& database, std::int64_t model, int version, const KeyValue& tag) {
  database
      .query(
          "INSERT INTO model_version_tags (model, version, key, value) VALUES (?, ?, ?, ?) "
          "ON CONFLICT (model, version, key) DO UPDATE SET value = excluded.value")
      .bind(model, version, tag.key, tag.value)
      .run();
}

}  // namespace lockstep::history::registry_rows
