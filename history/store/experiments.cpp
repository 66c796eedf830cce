#include <algorithm>

#include "common/clock.hpp"
#include "common/nearest.hpp"
#include "history/store/limits.hpp"
#include "history/store/sqlite_store.hpp"

namespace lockstep::history {

static constexpr std::string_view by_name =
    "SELECT experiment_id, name, artifact_location, archived, created_ms, updated_ms FROM experiments WHERE name = ?";
static constexpr std::string_view by_id =
    "SELECT experiment_id, name, artifact_location, archived, created_ms, updated_ms FROM experiments "
    "WHERE experiment_id = ?";

static Experiment experiment_of(const Query& row) {
  return {.experiment_id = std::to_string(row.integer(0)),
          .name = row.text(1),
          .artifact_location = row.text(2),
          .lifecycle = row.integer(3) == 0 ? Lifecycle::active : Lifecycle::archived,
          .created_ms = row.integer(4),
          .updated_ms = row.integer(5)};
}

Experiment SqliteStore::get_or_create_experiment(const std::string& name) {
  if (const auto mistake = limits::mistake_in_experiment_name(name)) throw bad_input("{}", *mistake);
  if (Query found = database_.query(by_name); found.bind(name).step()) return experiment_of(found);
  Transaction transaction(database_, Survives::power_loss);
  const std::int64_t now = now_ms();
  database_.query("INSERT INTO experiments (name, created_ms, updated_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
      .bind(name, now, now)
      .run();
  Experiment experiment;
  {
    Query created = database_.query(by_name);  // ours, or somebody else's who was quicker
    created.bind(name).step();
    experiment = experiment_of(created);
  }
  transaction.commit();
  return experiment;
}

static bool is_decimal(const std::string& text) {
  return !text.empty() && text.size() <= 18 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Experiment SqliteStore::get_experiment(const std::string& name_or_id) {
  if (is_decimal(name_or_id)) {
    Query found = database_.query(by_id);
    if (found.bind(static_cast<std::int64_t>(std::stoll(name_or_id))).step()) return experiment_of(found);
  }
  if (Query found = database_.query(by_name); found.bind(name_or_id).step()) return experiment_of(found);
  std::vector<std::string> names;
  for (const auto& each : list_experiments(View::all)) names.push_back(each.name);
  throw not_found("no experiment '{}'{}", name_or_id, did_you_mean(name_or_id, names));
}

std::vector<Experiment> SqliteStore::list_experiments(View view) {
  Query rows = database_.query(
      "SELECT experiment_id, name, artifact_location, archived, created_ms, updated_ms FROM experiments "
      "WHERE archived BETWEEN ? AND ? ORDER BY experiment_id DESC");
  rows.bind(view == View::archived_only ? 1 : 0, view == View::active_only ? 0 : 1);
  std::vector<Experiment> all;
  while (rows.step()) all.push_back(experiment_of(rows));
  return all;
}

}  // namespace lockstep::history
