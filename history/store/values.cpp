#include <unordered_map>

#include "history/store/metric_rows.hpp"
#include "history/store/series.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

void SqlStore::write_metrics(std::int64_t run, std::span<const Metric* const> metrics) {
  if (metrics.empty()) return;
  std::unordered_map<std::string_view, std::size_t> places;
  std::vector<const Metric*> firsts;
  std::vector<std::size_t> place_of;  // of each metric: its series
  place_of.reserve(metrics.size());
  for (const Metric* metric : metrics) {
    const auto [place, is_first] = places.emplace(metric->key, firsts.size());
    if (is_first) firsts.push_back(metric);
    place_of.push_back(place->second);
  }
  MetricRows& rows = database_.metric_rows();
  std::vector<SeriesRow> series = rows.find_or_create(run, firsts);
  std::vector<MetricRow> added;
  added.reserve(metrics.size());
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    SeriesRow& of_it = series[place_of[i]];
    if (of_it.is_repeated_by(*metrics[i])) continue;
    of_it.add(*metrics[i]);
    added.push_back({of_it.series, metrics[i]});
  }
  rows.append(added);
  rows.update(series);
}

// A parameter is written once; the same value again is fine.
std::optional<std::string> SqlStore::write_param(std::int64_t run, std::string_view key, std::string_view value) {
  database_.query("INSERT INTO params (run, key, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
      .bind(run, key, value)
      .run();
  if (database_.changed_rows() == 1) return std::nullopt;
  Query found = database_.query("SELECT value FROM params WHERE run = ? AND key = ?");
  found.bind(run, key).step();
  const std::string old = found.text(0);
  if (old == value) return std::nullopt;
  return fmt::format("parameter '{}' has the value '{}' already; it can't become '{}'", key, old, value);
}

static void set_parent(Database& database, std::int64_t run, std::string_view parent) {
  database.query("UPDATE runs SET parent_run_id = ?1 WHERE number = ?2 AND parent_run_id <> ?1")
      .bind(parent, run)
      .run();
}

// Two tags are fields of the run, too. Without a value MLflow takes no name: the old one stays.
void SqlStore::write_tag(std::int64_t run, std::string_view key, std::string_view value) {
  if (key == "mlflow.runName") {
    if (value.empty()) return;
    database_.query("UPDATE runs SET display_name = ?1 WHERE number = ?2 AND display_name <> ?1")
        .bind(value, run)
        .run();
  } else if (key == "mlflow.parentRunId") {
    set_parent(database_, run, value);
  }
  database_
      .query(
          "INSERT INTO tags (run, key, value) VALUES (?, ?, ?) ON CONFLICT (run, key) DO UPDATE SET value = "
          "excluded.value")
      .bind(run, key, value)
      .run();
}

// A run without the tag of its name keeps the name, as in MLflow.
void SqlStore::delete_tag(const std::string& run_id, const std::string& key) {
  Transaction transaction(database_, Survives::process_death);
  const std::int64_t run = number_of_active(run_id);
  database_.query("DELETE FROM tags WHERE run = ? AND key = ?").bind(run, key).run();
  if (database_.changed_rows() == 0) throw not_found("No tag with name: {} in run with id {}", key, run_id);
  if (key == "mlflow.parentRunId") set_parent(database_, run, "");
  transaction.commit();
}

static std::vector<KeyValue> key_values(Query rows, std::int64_t run) {
  rows.bind(run);
  std::vector<KeyValue> all;
  while (rows.step()) all.push_back({rows.text(0), rows.text(1)});
  return all;
}

std::vector<KeyValue> SqlStore::params(const std::string& run_id) {
  return key_values(database_.query("SELECT key, value FROM params WHERE run = ? ORDER BY key"), number_of(run_id));
}

std::vector<KeyValue> SqlStore::tags(const std::string& run_id) {
  return key_values(database_.query("SELECT key, value FROM tags WHERE run = ? ORDER BY key"), number_of(run_id));
}

std::vector<Metric> SqlStore::latest_metrics(const std::string& run_id) {
  const std::int64_t run = number_of(run_id);
  Query rows = database_.query("SELECT key, value, timestamp_ms, step FROM series WHERE run = ? ORDER BY key");
  rows.bind(run);
  std::vector<Metric> all;
  while (rows.step()) all.push_back({rows.text(0), number_or_nan(rows, 1), rows.integer(2), rows.integer(3)});
  return all;
}

std::vector<Metric> SqlStore::metric_history(const std::string& run_id, const std::string& key) {
  const std::int64_t run = number_of(run_id);
  Query rows = database_.query(
      "SELECT m.value, m.timestamp_ms, m.step FROM series s JOIN metrics m USING (series) WHERE s.run = ? AND s.key = "
      "? "
      "ORDER BY m.step, m.timestamp_ms, m.rowid");
  rows.bind(run, key);
  std::vector<Metric> all;
  while (rows.step()) all.push_back({key, number_or_nan(rows, 0), rows.integer(1), rows.integer(2)});
  return all;
}

}  // namespace lockstep::history
