#include "history/store/series.hpp"

#include <limits>

namespace lockstep::history {

std::optional<Series> find_series(Database& database, std::int64_t run, const std::string& key) {
  Query found = database.query("SELECT series, in_order, points FROM series WHERE run = ? AND key = ?");
  if (!found.bind(run, key).step()) return std::nullopt;
  return Series{found.integer(0), found.integer(1) != 0, found.integer(2)};
}

Metric metric_of(const Query& row, const std::string& key) {
  const double value = row.is_null(0) ? std::numeric_limits<double>::quiet_NaN() : row.real(0);
  return {key, value, row.integer(1), row.integer(2)};
}

}  // namespace lockstep::history
