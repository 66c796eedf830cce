#include "history/store/metric_reader.hpp"

#include <algorithm>

#include "history/store/database.hpp"
#include "history/store/open_store.hpp"
#include "history/store/series.hpp"

namespace lockstep::history {

MetricReader::MetricReader(const std::string& store) : database_(open_database(store)) {}
MetricReader::~MetricReader() = default;

// Rows are only appended, by one writer at a time: what is committed later has the greater rowid.
std::int64_t MetricReader::follow(const std::string& run_id, std::int64_t after,
                                  const std::function<void(const Metric&)>& give) {
  Query rows = database_->query(
      "SELECT m.rowid, s.key, m.value, m.timestamp_ms, m.step FROM runs r JOIN series s ON s.run = r.number "
      "JOIN metrics m ON m.series = s.series WHERE r.run_id = ?1 AND m.rowid > ?2 ORDER BY m.step, m.timestamp_ms, "
      "m.rowid");
  rows.bind(std::string_view(run_id), after);
  std::int64_t last = after;
  while (rows.step()) {
    last = std::max(last, rows.integer(0));
    give({rows.text(1), number_or_nan(rows, 2), rows.integer(3), rows.integer(4)});
  }
  return last;
}

std::vector<MetricSummary> MetricReader::summaries(const std::string& run_id) {
  Query rows = database_->query(
      "SELECT s.key, s.value, s.timestamp_ms, s.step, min(m.value), max(m.value), count(*) FROM runs r "
      "JOIN series s ON s.run = r.number JOIN metrics m ON m.series = s.series WHERE r.run_id = ?1 "
      "GROUP BY s.series ORDER BY s.key");
  rows.bind(std::string_view(run_id));
  std::vector<MetricSummary> all;
  while (rows.step()) {
    all.push_back({{rows.text(0), number_or_nan(rows, 1), rows.integer(2), rows.integer(3)},
                   number_or_nan(rows, 4),
                   number_or_nan(rows, 5),
                   rows.integer(6)});
  }
  return all;
}

}  // namespace lockstep::history
