#include "history/store/series.hpp"

#include <limits>

namespace lockstep::history {

std::optional<Series> find_series(Database& database, std::int64_t run, const std::string& key) {
  Query found = database.query("SELECT series, in_order, points FROM series WHERE run = ? AND key = ?");
  if (!found.bind(run, key).step()) return std::nullopt;
  return Series{found.integer(0), found.integer(1) != 0, found.integer(2)};
}

double number_or_nan(const Query& row, int column) {
  return row.is_null(column) ? std::numeric_limits<double>::quiet_NaN() : row.real(column);
}

Metric metric_of(const Query& row, const std::string& key) {
  return {key, number_or_nan(row, 0), row.integer(1), row.integer(2)};
}

}  // namespace lockstep::history
