#include <algorithm>

#include "common/clock.hpp"
#include "common/nearest.hpp"
#include "history/store/lifecycle.hpp"
#include "history/store/limits.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

static constexpr std::string_view by_name =
    "SELECT experiment_id, name, artifact_location, archived, created_ms, updated_ms FROM experiments WHERE name = ?";
static constexpr std::string_view by_id =
    "SELECT experiment_id, name, artifact_location, archived, created_ms, updated_ms FROM experiments "
    "WHERE experiment_id = ?";

static std::vector<KeyValue> tags_of(Database& database, std::int64_t experiment_id) {
  Query rows = database.query("SELECT key, value FROM experiment_tags WHERE experiment_id = ? ORDER BY key");
  rows.bind(experiment_id);
  std::vector<KeyValue> tags;
  while (rows.step()) tags.push_back({rows.text(0), rows.text(1)});
  return tags;
}

static Experiment experiment_of(Database& database, const Query& row) {
  return {.experiment_id = std::to_string(row.integer(0)),
          .name = row.text(1),
          .artifact_location = row.text(2),
          .lifecycle = row.integer(3) == 0 ? Lifecycle::active : Lifecycle::archived,
          .created_ms = row.integer(4),
          .updated_ms = row.integer(5),
          .tags = tags_of(database, row.integer(0))};
}

template <class Key>
static std::optional<Experiment> find_experiment(Database& database, std::string_view sql, const Key& key) {
  Query found = database.query(sql);
  if (!found.bind(key).step()) return std::nullopt;
  return experiment_of(database, found);
}

static void check_experiment_name(const std::string& name) {
  if (const auto mistake = limits::mistake_in_experiment_name(name)) throw bad_input("{}", *mistake);
}

// Its id; nullopt: the name is taken.
static std::optional<std::int64_t> insert_experiment(Database& database, const std::string& name,
                                                     const std::string& artifact_location) {
  const std::int64_t now = now_ms();
  return database
      .query(
          "INSERT INTO experiments (name, artifact_location, created_ms, updated_ms) VALUES (?, ?, ?, ?) "
          "ON CONFLICT DO NOTHING RETURNING experiment_id")
      .bind(name, artifact_location, now, now)
      .one_number();
}

static void write_experiment_tag(Database& database, std::int64_t experiment_id, const KeyValue& tag) {
  const auto [value, mistake] = limits::check_experiment_tag(tag);
  if (mistake) throw bad_input("{}", *mistake);
  database
      .query(
          "INSERT INTO experiment_tags (experiment_id, key, value) VALUES (?, ?, ?) "
          "ON CONFLICT (experiment_id, key) DO UPDATE SET value = excluded.value")
      .bind(experiment_id, tag.key, value)
      .run();
}

// Archived experiments keep their names, so that they can be restored.
static AlreadyExists name_taken(const Experiment& by) {
  const char* how = by.lifecycle == Lifecycle::active ? "." : " in deleted state; restore it, or choose another name.";
  return {ExitCode::bad_input, fmt::format("Experiment(name={}) already exists{}", by.name, how)};
}

Experiment SqlStore::create_experiment(const std::string& name, const std::string& artifact_location,
                                       const std::vector<KeyValue>& tags) {
  check_experiment_name(name);
  Transaction transaction(database_, Survives::power_loss);
  const auto experiment_id = insert_experiment(database_, name, artifact_location);
  if (!experiment_id) throw name_taken(get_experiment_by_name(name));
  for (const KeyValue& tag : tags) write_experiment_tag(database_, *experiment_id, tag);
  Experiment created = get_experiment_by_id(std::to_string(*experiment_id));
  transaction.commit();
  return created;
}

Experiment SqlStore::get_or_create_experiment(const std::string& name) {
  check_experiment_name(name);
  if (auto found = find_experiment(database_, by_name, name)) return *found;
  Transaction transaction(database_, Survives::power_loss);
  insert_experiment(database_, name, "");
  Experiment experiment = get_experiment_by_name(name);  // ours, or somebody else's who was quicker
  transaction.commit();
  return experiment;
}

Experiment SqlStore::get_experiment_by_id(const std::string& experiment_id) {
  const std::int64_t number = limits::experiment_number(experiment_id);
  if (auto found = find_experiment(database_, by_id, number)) return *found;
  throw not_found("No Experiment with id={} exists", number);
}

Experiment SqlStore::get_experiment_by_name(const std::string& name) {
  if (auto found = find_experiment(database_, by_name, name)) return *found;
  throw not_found("Could not find experiment with name '{}'", name);
}

static bool is_decimal(const std::string& text) {
  return !text.empty() && text.size() <= 18 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Experiment SqlStore::get_experiment(const std::string& name_or_id) {
  if (is_decimal(name_or_id)) {
    if (auto found = find_experiment(database_, by_id, std::int64_t{std::stoll(name_or_id)})) return *found;
  }
  if (auto found = find_experiment(database_, by_name, name_or_id)) return *found;
  std::vector<std::string> names;
  for (const auto& each : list_experiments(View::all)) names.push_back(each.name);
  throw not_found("no experiment '{}'{}", name_or_id, did_you_mean(name_or_id, names));
}

std::vector<Experiment> SqlStore::list_experiments(View view) {
  Query rows = database_.query(
      "SELECT experiment_id, name, artifact_location, archived, created_ms, updated_ms FROM experiments "
      "WHERE archived BETWEEN ? AND ? ORDER BY experiment_id DESC");
  rows.bind(view == View::archived_only ? 1 : 0, view == View::active_only ? 0 : 1);
  std::vector<Experiment> all;
  while (rows.step()) all.push_back(experiment_of(database_, rows));
  return all;
}

void SqlStore::rename_experiment(const std::string& experiment_id, const std::string& name) {
  check_experiment_name(name);
  Transaction transaction(database_, Survives::power_loss);
  const Experiment experiment = get_experiment_by_id(experiment_id);
  if (experiment.lifecycle != Lifecycle::active) throw bad_input("Cannot rename a non-active experiment.");
  const auto holder = find_experiment(database_, by_name, name);
  if (holder && holder->experiment_id != experiment.experiment_id) throw name_taken(*holder);
  database_.query("UPDATE experiments SET name = ?, updated_ms = ? WHERE experiment_id = ?")
      .bind(name, now_ms(), std::int64_t{std::stoll(experiment.experiment_id)})
      .run();
  transaction.commit();
}

// One that stands there already is not found, as in MLflow.
void SqlStore::set_experiment_lifecycle(const std::string& experiment_id, Lifecycle lifecycle) {
  Transaction transaction(database_, Survives::power_loss);
  const Experiment experiment = get_experiment_by_id(experiment_id);
  if (experiment.lifecycle == lifecycle) throw not_found("No Experiment with id={} exists", experiment.experiment_id);
  const std::int64_t number = std::stoll(experiment.experiment_id);
  const int archived = lifecycle == Lifecycle::archived ? 1 : 0;
  database_.query("UPDATE experiments SET archived = ?, updated_ms = ? WHERE experiment_id = ?")
      .bind(archived, now_ms(), number)
      .run();
  database_.query("UPDATE runs SET archived = ?1 WHERE experiment_id = ?2 AND archived = 1 - ?1")
      .bind(archived, number)
      .run();
  transaction.commit();
}

// Tags do not count as an update of the experiment: MLflow leaves its last_update_time alone.
void SqlStore::set_experiment_tag(const std::string& experiment_id, const KeyValue& tag) {
  Transaction transaction(database_, Survives::power_loss);
  const Experiment experiment = get_experiment_by_id(experiment_id);
  if (experiment.lifecycle != Lifecycle::active) throw not_active("experiment", experiment.experiment_id);
  write_experiment_tag(database_, std::stoll(experiment.experiment_id), tag);
  transaction.commit();
}

void SqlStore::delete_experiment_tag(const std::string& experiment_id, const std::string& key) {
  Transaction transaction(database_, Survives::power_loss);
  const Experiment experiment = get_experiment_by_id(experiment_id);
  if (experiment.lifecycle != Lifecycle::active) throw not_active("experiment", experiment.experiment_id);
  database_.query("DELETE FROM experiment_tags WHERE experiment_id = ? AND key = ?")
      .bind(std::int64_t{std::stoll(experiment.experiment_id)}, key)
      .run();
  if (database_.changed_rows() == 0) {
    throw not_found("No tag with name: {} in experiment with id {}", key, experiment.experiment_id);
  }
  transaction.commit();
}

}  // namespace lockstep::history
