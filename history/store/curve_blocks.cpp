#include "history/store/curve_blocks.hpp"

#include <algorithm>
#include <limits>

#include "common/error.hpp"
#include "history/store/m4.hpp"

namespace lockstep::history {

namespace {
constexpr std::int64_t points_of_a_block = 64;
constexpr std::int64_t long_from = 16'384;     // so many values are read in some 10 ms
constexpr std::int64_t worth_laying = 16;      // blocks: a curve that grows is looked at each second
constexpr std::int64_t blocks_at_once = 1024;  // in one transaction

struct Block {
  std::int64_t number = 0;
  std::int64_t first_row = 0;
  std::int64_t last_row = 0;
  std::int64_t earliest_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t latest_ms = std::numeric_limits<std::int64_t>::min();
  M4Summary summary;

  void add(std::int64_t row, const Metric& point) {
    if (summary.points == 0) first_row = row;
    last_row = row;
    earliest_ms = std::min(earliest_ms, point.timestamp_ms);
    latest_ms = std::max(latest_ms, point.timestamp_ms);
    summary.add(point);
  }
  bool lies_within(const CurveQuery& query) const {
    if (query.axis == CurveAxis::time) return earliest_ms >= query.from && latest_ms <= query.to;
    return summary.first.step >= query.from && summary.last.step <= query.to;
  }
};

constexpr const char* columns =
    "block, first_row, last_row, earliest_ms, latest_ms, first_value, first_ms, first_step, last_value, last_ms, "
    "last_step, least_place, least_value, least_ms, least_step, greatest_place, greatest_value, greatest_ms, "
    "greatest_step";

Metric point_at(const Query& row, int column) {
  const double value = number_or_nan(row, column);
  return {{}, value, row.integer(column + 1), row.integer(column + 2)};
}

Block block_of(const Query& row) {
  Block block{row.integer(0), row.integer(1), row.integer(2), row.integer(3), row.integer(4), {}};
  block.summary = {.points = points_of_a_block,
                   .first = point_at(row, 5),
                   .least = point_at(row, 12),
                   .greatest = point_at(row, 16),
                   .last = point_at(row, 8),
                   .least_place = row.integer(11),
                   .greatest_place = row.integer(15)};
  return block;
}

// Two may lay the same blocks at once: what they write is the same, and the first one's stays.
void write(Database& database, std::int64_t series, const std::vector<Block>& blocks) {
  Transaction transaction(database, Survives::process_death);
  Query insert = database.query(fmt::format(
      "INSERT INTO curve_blocks (series, {}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (series, block) DO NOTHING",
      columns));
  for (const Block& each : blocks) {
    const auto& [points, first, least, greatest, last, least_place, greatest_place] = each.summary;
    insert
        .bind(series, each.number, each.first_row, each.last_row, each.earliest_ms, each.latest_ms, first.value,
              first.timestamp_ms, first.step, last.value, last.timestamp_ms, last.step, least_place, least.value,
              least.timestamp_ms, least.step, greatest_place, greatest.value, greatest.timestamp_ms, greatest.step)
        .run_again();
  }
  transaction.commit();
}

// The next whole blocks after the row `after`, at most blocks_at_once.
std::vector<Block> read_blocks(Database& database, std::int64_t series, std::int64_t first_number, std::int64_t after) {
  std::vector<Block> blocks;
  Block block;
  block.number = first_number;
  Query rows = database.query(
      "SELECT value, timestamp_ms, step, rowid FROM metrics WHERE series = ? AND rowid > ? ORDER BY rowid LIMIT ?");
  rows.bind(series, after, blocks_at_once * points_of_a_block);
  while (rows.step()) {
    block.add(rows.integer(3), metric_of(rows, {}));
    if (block.summary.points < points_of_a_block) continue;
    blocks.push_back(block);
    const std::int64_t next = block.number + 1;
    block = {};
    block.number = next;
  }
  return blocks;
}

// Where the blocks of a series end.
struct End {
  std::int64_t next_block = 0;
  std::int64_t last_row = 0;
};
End end_of_blocks(Database& database, std::int64_t series) {
  Query last = database.query("SELECT block, last_row FROM curve_blocks WHERE series = ? ORDER BY block DESC LIMIT 1");
  if (!last.bind(series).step()) return {};
  return {last.integer(0) + 1, last.integer(1)};
}

constexpr const char* rows_by_step =
    "SELECT value, timestamp_ms, step FROM metrics WHERE series = ? AND rowid BETWEEN ? AND ? "
    "AND step BETWEEN ? AND ? ORDER BY rowid";
constexpr const char* rows_by_time =
    "SELECT value, timestamp_ms, step FROM metrics WHERE series = ? AND rowid BETWEEN ? AND ? "
    "AND timestamp_ms BETWEEN ? AND ? ORDER BY rowid";

// What lies between the ends, in order: blocks as a whole if `take_block` takes them, else row by row.
template <class TakeBlock, class TakeRow>
void each_between(Database& database, std::int64_t series, const CurveQuery& query, const TakeBlock& take_block,
                  const TakeRow& take_row) {
  const bool by_step = query.axis == CurveAxis::step;
  const auto read_rows = [&](std::int64_t first, std::int64_t last) {
    Query rows = database.query(by_step ? rows_by_step : rows_by_time);
    rows.bind(series, first, last, query.from, query.to);
    while (rows.step()) take_row(metric_of(rows, {}));
  };
  Query blocks =
      database.query(fmt::format("SELECT {} FROM curve_blocks WHERE series = ? AND {} >= ? AND {} <= ? ORDER BY block",
                                 columns, by_step ? "last_step" : "latest_ms", by_step ? "first_step" : "earliest_ms"));
  blocks.bind(series, query.from, query.to);
  while (blocks.step()) {
    const Block block = block_of(blocks);
    if (block.lies_within(query) && take_block(block.summary)) continue;
    read_rows(block.first_row, block.last_row);
  }
  read_rows(end_of_blocks(database, series).last_row + 1, std::numeric_limits<std::int64_t>::max());
}
}  // namespace

void lay_curve_blocks(Database& database, std::int64_t run, const std::string& key) {
  const auto series = find_series(database, run, key);
  if (!series || !series->in_order || series->points < long_from || database.in_transaction()) return;
  End end = end_of_blocks(database, series->number);
  try {
    while (series->points - end.next_block * points_of_a_block >= worth_laying * points_of_a_block) {
      const std::vector<Block> blocks = read_blocks(database, series->number, end.next_block, end.last_row);
      if (blocks.empty()) return;
      write(database, series->number, blocks);
      end = {blocks.back().number + 1, blocks.back().last_row};
    }
  } catch (const Error&) {  // the disk is full, or somebody holds the database
    return;
  }
}

Curve curve_in_order(Database& database, const Series& series, const CurveQuery& query) {
  constexpr int of_part = 4;
  const bool is_whole =
      query.from == std::numeric_limits<std::int64_t>::min() && query.to == std::numeric_limits<std::int64_t>::max();
  Curve curve;
  if (is_whole) {
    curve.total = series.points;
  } else {
    each_between(
        database, series.number, query,
        [&](const M4Summary& block) {
          curve.total += block.points;
          return true;
        },
        [&](const Metric&) { ++curve.total; });
  }
  const std::int64_t most = std::max(of_part, query.max_points);
  M4 sample(curve.total, curve.total <= most ? std::max<std::int64_t>(curve.total, 1) : most / of_part);
  each_between(
      database, series.number, query,
      [&](const M4Summary& block) {
        const bool fits = sample.are_of_one_part(block.points);
        if (fits) sample.add(block);
        return fits;
      },
      [&](const Metric& point) { sample.add(point); });
  curve.points = sample.take();
  return curve;
}

}  // namespace lockstep::history
