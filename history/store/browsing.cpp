#include <algorithm>
#include <nlohmann/json.hpp>

#include "history/store/curve_blocks.hpp"
#include "history/store/m4.hpp"
#include "history/store/series.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

static constexpr const char* rows_between_steps = "FROM metrics WHERE series = ?1 AND step BETWEEN ?2 AND ?3 ";
static constexpr const char* rows_in_time = "FROM metrics WHERE series = ?1 AND timestamp_ms BETWEEN ?2 AND ?3 ";

static Query selected(Database& database, const std::string& sql, const Series& series, const CurveQuery& query) {
  Query rows = database.query(sql);
  rows.bind(series.number, query.from, query.to);
  return rows;
}

// Counting first makes parts of equal length, however steps and times are spread. A point that comes in between is the
// next look's.
Curve SqlStore::curve(const std::string& run_id, const std::string& key, const CurveQuery& query) {
  const std::int64_t run = number_of(run_id);
  lay_curve_blocks(database_, run, key);
  const Snapshot one_moment(database_);
  const auto series = find_series(database_, run, key);
  if (!series) return {};
  if (series->in_order) return curve_in_order(database_, *series, query);
  const std::string rows = query.axis == CurveAxis::step ? rows_between_steps : rows_in_time;
  Curve curve;
  Query counted = selected(database_, "SELECT count(*) " + rows, *series, query);
  counted.step();
  curve.total = counted.integer(0);
  constexpr int of_part = 4;
  const std::int64_t most = std::max(of_part, query.max_points);
  M4 sample(curve.total, curve.total <= most ? std::max<std::int64_t>(curve.total, 1) : most / of_part);
  Query points = selected(database_, "SELECT value, timestamp_ms, step " + rows + "ORDER BY step, timestamp_ms, rowid",
                          *series, query);
  while (points.step()) sample.add(metric_of(points, {}));
  curve.points = sample.take();
  return curve;
}

// start_ms is MLflow's start_time (migration 2).
std::vector<Activity> SqlStore::activity() {
  Query rows = database_.query(
      "SELECT experiment_id, count(*), count(*) FILTER (WHERE finished = 0), max(start_ms) FROM runs WHERE archived = "
      "0 "
      "GROUP BY experiment_id");
  std::vector<Activity> all;
  while (rows.step()) all.push_back({rows.text(0), rows.integer(1), rows.integer(2), rows.integer(3)});
  return all;
}

static char lower_case(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Of 100,000 keys in a third of the time that SQL's instr(lower(key)) takes.
static bool has_part(std::string_view key, std::string_view part) {
  const auto alike = [](char a, char b) { return lower_case(a) == lower_case(b); };
  return std::search(key.begin(), key.end(), part.begin(), part.end(), alike) != key.end() || part.empty();
}

LatestPage SqlStore::latest_page(const std::string& run_id, const std::string& part, int max_results,
                                 const std::string& page_token) {
  if (max_results < 1) throw bad_input("max_results is {}; it must be 1 or more", max_results);
  const std::int64_t run = number_of(run_id);
  const Snapshot one_moment(database_);
  LatestPage page;
  std::vector<std::string> keys;
  Query all = database_.query("SELECT key FROM series WHERE run = ? ORDER BY key");
  all.bind(run);
  while (all.step()) {
    std::string key = all.text(0);
    if (!has_part(key, part)) continue;
    ++page.total;
    if (key > page_token && keys.size() <= static_cast<std::size_t>(max_results)) keys.push_back(std::move(key));
  }
  if (keys.size() > static_cast<std::size_t>(max_results)) {
    keys.pop_back();
    page.next_page_token = keys.back();
  }
  Query rows = database_.query(
      "SELECT value, timestamp_ms, step, key FROM series WHERE run = ?1 "
      "AND key IN (SELECT value FROM json_each(?2)) ORDER BY key");
  rows.bind(run, nlohmann::json(keys).dump());
  while (rows.step()) page.metrics.push_back(metric_of(rows, rows.text(3)));
  return page;
}

// A series' last value replaces the one before, so a value that is older than it, and no part of a series in order,
// leaves no mark: who looks at a curve of such a run sees it at the next one.
std::string SqlStore::metrics_mark(const std::string& run_id) {
  Query mark = database_.query(
      "SELECT count(*), coalesce(sum(points + 0.0), 0), coalesce(sum(step + 0.0), 0), "
      "coalesce(sum(timestamp_ms + 0.0), 0), coalesce(sum(value), 0) FROM series WHERE run = ?");
  mark.bind(number_of(run_id)).step();
  return fmt::format("{} {} {} {} {}", mark.integer(0), mark.real(1), mark.real(2), mark.real(3), mark.real(4));
}

}  // namespace lockstep::history
