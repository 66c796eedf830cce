#include "history/store/registry_rows.hpp"
#include "history/store/registry_rules.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

void SqlStore::set_model_alias(const std::string& name, const std::string& alias, int version) {
  registry_rules::check_model_name(name);
  registry_rules::check_new_alias(alias);
  Transaction transaction(database_, Survives::power_loss);
  database_
      .query(
          "INSERT INTO model_aliases (model, alias, version) VALUES (?, ?, ?) "
          "ON CONFLICT (model, alias) DO UPDATE SET version = excluded.version")
      .bind(registry_rows::number_of_model_with(database_, name, version), alias, version)
      .run();
  transaction.commit();
}

void SqlStore::delete_model_alias(const std::string& name, const std::string& alias) {
  registry_rules::check_model_name(name);
  registry_rules::check_alias(alias);
  Transaction transaction(database_, Survives::power_loss);
  database_.query("DELETE FROM model_aliases WHERE model = ? AND alias = ?")
      .bind(registry_rows::number_of_model(database_, name), alias)
      .run();
  transaction.commit();
}

ModelVersion SqlStore::get_model_version_by_alias(const std::string& name, const std::string& alias) {
  registry_rules::check_model_name(name);
  registry_rules::check_alias(alias);
  const Snapshot snapshot(database_);
  const std::int64_t model = registry_rows::number_of_model(database_, name);
  if (registry_rules::is_latest(alias)) {
    Query newest = database_.query("SELECT version FROM model_versions WHERE model = ? ORDER BY version DESC LIMIT 1");
    if (!newest.bind(model).step()) throw not_found("Latest version not found for model {}.", name);
    return registry_rows::model_version(database_, model, static_cast<int>(newest.integer(0)));
  }
  Query found = database_.query("SELECT version FROM model_aliases WHERE model = ? AND alias = ?");
  if (!found.bind(model, alias).step()) throw bad_input("Registered model alias {} not found.", alias);
  return registry_rows::model_version(database_, model, static_cast<int>(found.integer(0)));
}

}  // namespace lockstep::history
