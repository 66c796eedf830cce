#include <algorithm>

#include "common/clock.hpp"
#include "history/store/registry_rows.hpp"
#include "history/store/registry_rules.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

using registry_rows::number_of_model;

static bool has_name(Database& database, const std::string& name) {
  return database.query("SELECT 1 FROM registered_models WHERE name = ?").bind(name).step();
}

// MLflow keeps prompts as registered models with a tag, in the same space of names.
static bool is_prompt(const std::vector<KeyValue>& tags) {
  bool is = false;
  for (const auto& tag : tags) {
    if (tag.key == registry_rules::prompt_tag) is = tag.value == "true";  // the last one counts
  }
  return is;
}

static AlreadyExists name_is_taken(const std::string& name, bool by_prompt, bool for_prompt) {
  const auto entity = [](bool prompt) { return prompt ? "prompt" : "registered model"; };
  if (by_prompt == for_prompt) {
    return {ExitCode::bad_input,
            fmt::format("{} (name={}) already exists.", by_prompt ? "Prompt" : "Registered Model", name)};
  }
  return {ExitCode::bad_input,
          fmt::format("Tried to create a {} with name '{}', but the name is already taken by a {}. MLflow does not "
                      "allow creating a model and a prompt with the same name.",
                      entity(for_prompt), name, entity(by_prompt))};
}

RegisteredModel SqlStore::create_registered_model(const std::string& name, const std::string& description,
                                                  const std::vector<KeyValue>& tags) {
  registry_rules::check_model_name(name);
  for (const auto& tag : tags) registry_rules::check_tag(tag);
  Transaction transaction(database_, Survives::power_loss);
  if (has_name(database_, name)) throw name_is_taken(name, is_prompt(get_registered_model(name).tags), is_prompt(tags));
  const std::int64_t now = now_ms();
  const std::int64_t model =
      database_
          .query(
              "INSERT INTO registered_models (name, description, created_ms, updated_ms) VALUES (?, ?, ?, ?) "
              "RETURNING model")
          .bind(name, description, now, now)
          .number();
  for (const auto& tag : tags) registry_rows::set_model_tag(database_, model, tag);
  RegisteredModel created = registry_rows::registered_model(database_, model);
  transaction.commit();
  return created;
}

RegisteredModel SqlStore::get_registered_model(const std::string& name) {
  const Snapshot snapshot(database_);
  return registry_rows::registered_model(database_, number_of_model(database_, name));
}

RegisteredModel SqlStore::rename_registered_model(const std::string& name, const std::string& new_name) {
  registry_rules::check_new_model_name(new_name);
  Transaction transaction(database_, Survives::power_loss);
  const std::int64_t model = number_of_model(database_, name);
  if (new_name != name && has_name(database_, new_name)) throw name_is_taken(new_name, false, false);
  const std::int64_t now = now_ms();
  database_.query("UPDATE registered_models SET name = ?, updated_ms = ? WHERE model = ?")
      .bind(new_name, now, model)
      .run();
  database_.query("UPDATE model_versions SET updated_ms = ? WHERE model = ?").bind(now, model).run();
  RegisteredModel renamed = registry_rows::registered_model(database_, model);
  transaction.commit();
  return renamed;
}

RegisteredModel SqlStore::describe_registered_model(const std::string& name, const std::string& description) {
  Transaction transaction(database_, Survives::power_loss);
  const std::int64_t model = number_of_model(database_, name);
  database_.query("UPDATE registered_models SET description = ?, updated_ms = ? WHERE model = ?")
      .bind(description, now_ms(), model)
      .run();
  RegisteredModel described = registry_rows::registered_model(database_, model);
  transaction.commit();
  return described;
}

void SqlStore::delete_registered_model(const std::string& name) {
  Transaction transaction(database_, Survives::power_loss);
  const std::int64_t model = number_of_model(database_, name);
  for (const char* table :
       {"model_aliases", "model_version_tags", "model_versions", "registered_model_tags", "registered_models"}) {
    database_.query(fmt::format("DELETE FROM {} WHERE model = ?", table)).bind(model).run();
  }
  transaction.commit();
}

void SqlStore::set_registered_model_tag(const std::string& name, const KeyValue& tag) {
  registry_rules::check_model_name(name);
  registry_rules::check_tag(tag);
  Transaction transaction(database_, Survives::power_loss);
  registry_rows::set_model_tag(database_, number_of_model(database_, name), tag);
  transaction.commit();
}

void SqlStore::delete_registered_model_tag(const std::string& name, const std::string& key) {
  registry_rules::check_model_name(name);
  registry_rules::check_tag_key(key);
  Transaction transaction(database_, Survives::power_loss);
  database_.query("DELETE FROM registered_model_tags WHERE model = ? AND key = ?")
      .bind(number_of_model(database_, name), key)
      .run();
  transaction.commit();
}

}  // namespace lockstep::history
