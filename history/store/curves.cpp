#include <algorithm>
#include <charconv>
#include <limits>

#include "history/store/series.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

namespace {
// Where a page ended. A token is "m" and the three numbers; it holds on when more is logged in the meantime.
struct Place {
  std::int64_t step = std::numeric_limits<std::int64_t>::min();
  std::int64_t timestamp_ms = -1;  // before every time
  std::int64_t row = 0;
};

std::string token_of(const Place& place) { return fmt::format("m{}.{}.{}", place.step, place.timestamp_ms, place.row); }

Place place_after(const std::string& token) {
  Place place;
  if (token.empty()) return place;
  const char* next = token.data();
  const char* const end = token.data() + token.size();
  bool good = true;
  const auto read = [&](char before, std::int64_t& number) {
    good = good && next != end && *next == before;
    if (!good) return;
    const auto [stop, error] = std::from_chars(next + 1, end, number);
    good = error == std::errc();
    next = stop;
  };
  read('m', place.step);
  read('.', place.timestamp_ms);
  read('.', place.row);
  if (!good || next != end || token_of(place) != token) {
    throw bad_input("'{}' is no page token of a metric's history", token);
  }
  return place;
}
}  // namespace

// What is in order is read where it lies, as much as is given; else every page sorts all.
MetricPage SqlStore::metric_history_page(const std::string& run_id, const std::string& key, int max_results,
                                         const std::string& page_token) {
  if (max_results < 1) throw bad_input("max_results is {}; it must be 1 or more", max_results);
  const Place after = place_after(page_token);
  const auto series = find_series(database_, number_of(run_id), key);
  if (!series) return {};
  Query rows = database_.query(
      series->in_order ? "SELECT value, timestamp_ms, step, rowid FROM metrics WHERE series = ?1 AND rowid > ?2 "
                         "ORDER BY rowid LIMIT ?3"
                       : "SELECT value, timestamp_ms, step, rowid FROM metrics WHERE series = ?1 "
                         "AND (step, timestamp_ms, rowid) > (?4, ?5, ?2) ORDER BY step, timestamp_ms, rowid LIMIT ?3");
  rows.bind(series->number, after.row, std::int64_t{max_results} + 1);
  if (!series->in_order) rows.bind_at(4, after.step).bind_at(5, after.timestamp_ms);
  MetricPage page;
  Place last;
  while (rows.step()) {
    if (page.metrics.size() == static_cast<std::size_t>(max_results)) {
      page.next_page_token = token_of(last);
      break;
    }
    page.metrics.push_back(metric_of(rows, key));
    last = {rows.integer(2), rows.integer(1), rows.integer(3)};
  }
  return page;
}

// Which of `count` rows a curve of `most` points shows: the first of each of `most` parts that are as equal as can be,
// the longer ones in front (SQL's ntile), and of the last part the last row. MLflow samples so.
static std::vector<std::int64_t> sampled(std::int64_t count, std::int64_t most) {
  const std::int64_t points = std::min(count, most);
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i + 1 < points; ++i) places.push_back(i * (count / most) + std::min(i, count % most));
  if (points > 0) places.push_back(count - 1);
  return places;
}

static std::int64_t last_row(Database& database, std::int64_t series) {
  Query last = database.query("SELECT max(rowid) FROM metrics WHERE series = ?");
  return last.bind(series).step() ? last.integer(0) : 0;
}

// Of a series in order: the rowid from which on all rows have this step or a later one.
static std::int64_t first_row_of_step(Database& database, std::int64_t series, std::int64_t step) {
  std::int64_t low = 0;
  std::int64_t high = 1 + last_row(database, series);
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    Query next =
        database.query("SELECT rowid, step FROM metrics WHERE series = ? AND rowid >= ? ORDER BY rowid LIMIT 1");
    if (!next.bind(series, middle).step() || next.integer(1) >= step)
      high = middle;
    else
      low = next.integer(0) + 1;
  }
  return low;
}

namespace {
struct Rows {
  std::int64_t begin = 0;  // a rowid, of the first or before it
  std::int64_t count = 0;
};
}  // namespace

static Rows rows_between(Database& database, const Series& series, std::int64_t first, std::int64_t last) {
  constexpr auto ends = std::numeric_limits<std::int64_t>();
  if (first == ends.min() && last == ends.max()) return {0, series.points};  // counting a million takes 50 ms
  const std::int64_t begin = first_row_of_step(database, series.number, first);
  const std::int64_t end = last == ends.max() ? last : first_row_of_step(database, series.number, last + 1);
  Query counted = database.query("SELECT count(*) FROM metrics WHERE series = ? AND rowid >= ? AND rowid < ?");
  counted.bind(series.number, begin, end).step();
  return {begin, counted.integer(0)};
}

static std::vector<Metric> sample_in_order(Database& database, const Series& series, const std::string& key,
                                           std::int64_t first, std::int64_t last, int most) {
  const auto [begin, count] = rows_between(database, series, first, last);
  std::vector<Metric> points;
  std::int64_t row = begin;
  std::int64_t at = 0;
  for (const std::int64_t place : sampled(count, most)) {
    // SQLite skips within the index what lies between two points.
    Query skip = database.query(
        "SELECT value, timestamp_ms, step, rowid FROM metrics WHERE series = ? AND rowid >= ? ORDER BY rowid "
        "LIMIT 1 OFFSET ?");
    skip.bind(series.number, row, place - at).step();
    points.push_back(metric_of(skip, key));
    row = skip.integer(3);
    at = place;
  }
  return points;
}

static std::vector<Metric> sample_sorted(Database& database, const Series& series, const std::string& key,
                                         std::int64_t first, std::int64_t last, int most) {
  std::vector<std::int64_t> sorted;
  Query rows = database.query(
      "SELECT rowid FROM metrics WHERE series = ? AND step BETWEEN ? AND ? ORDER BY step, timestamp_ms, rowid");
  rows.bind(series.number, first, last);
  while (rows.step()) sorted.push_back(rows.integer(0));
  std::vector<Metric> points;
  for (const std::int64_t place : sampled(static_cast<std::int64_t>(sorted.size()), most)) {
    Query point = database.query("SELECT value, timestamp_ms, step FROM metrics WHERE rowid = ?");
    point.bind(sorted[static_cast<std::size_t>(place)]).step();
    points.push_back(metric_of(point, key));
  }
  return points;
}

std::vector<Metric> SqlStore::metric_interval(const std::string& run_id, const std::string& key,
                                              std::optional<std::int64_t> first, std::optional<std::int64_t> last,
                                              int max_results) {
  const auto series = find_series(database_, number_of(run_id), key);
  if (!series) return {};
  const auto sample = series->in_order ? sample_in_order : sample_sorted;
  return sample(database_, *series, key, first.value_or(std::numeric_limits<std::int64_t>::min()),
                last.value_or(std::numeric_limits<std::int64_t>::max()), std::max(1, max_results));
}

}  // namespace lockstep::history
