
#include "history/store/series.hpp"
#include "history/store/sqlite_database.hpp"

namespace lockstep::history {

SeriesRow SqliteDatabase::find_or_create(std::int64_t run, const Metric& first) {
  Query found =
      query("SELECT series, step, timestamp_ms, value, in_order, points FROM series WHERE run = ? AND key = ?");
  if (found.bind(run, first.key).step()) {
    const double value = number_or_nan(found, 3);
    return {
        found.integer(0), found.integer(1), found.integer(2), value, found.integer(4) != 0, found.integer(5), false};
  }
  query("INSERT INTO series (run, key, step, timestamp_ms, value, in_order) VALUES (?, ?, ?, ?, ?, 1)")
      .bind(run, first.key, first.step, first.timestamp_ms, first.value)
      .run();
  const std::int64_t series = sqlite3_last_insert_rowid(connection_.get());
  return {series, first.step, first.timestamp_ms, first.value, true, 0, true};
}

std::vector<SeriesRow> SqliteDatabase::find_or_create(std::int64_t run,
                                                      std::span<const Metric* const> first_of_each_key) {
  std::vector<SeriesRow> rows;
  rows.reserve(first_of_each_key.size());
  for (const Metric* first : first_of_each_key) rows.push_back(find_or_create(run, *first));
  return rows;
}

void SqliteDatabase::append(std::span<const MetricRow> rows) {
  Query insert = query("INSERT INTO metrics (series, step, timestamp_ms, value) VALUES (?, ?, ?, ?)");
  for (const auto& [series, metric] : rows) {
    insert.bind(series, metric->step, metric->timestamp_ms, metric->value).run_again();
  }
}

void SqliteDatabase::update(std::span<const SeriesRow> rows) {
  Query update =
      query("UPDATE series SET step = ?, timestamp_ms = ?, value = ?, in_order = ?, points = ? WHERE series = ?");
  for (const SeriesRow& each : rows) {
    update.bind(each.step, each.timestamp_ms, each.value, each.in_order ? 1 : 0, each.points, each.series).run_again();
  }
}

}  // namespace lockstep::history
