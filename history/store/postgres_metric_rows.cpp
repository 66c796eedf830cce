// Each of these is one statement for any number of rows: a round trip costs more than what the server does for a row.
#include <bit>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "common/error.hpp"
#include "history/store/postgres_database.hpp"
#include "history/store/series.hpp"

namespace lockstep::history {

// Infinities are texts in JSON, and PostgreSQL reads these as numbers again.
static nlohmann::json json_of(double value) {
  if (std::isnan(value)) return nullptr;
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return value;
}

static std::string text_of(const nlohmann::json& rows) {
  return rows.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<SeriesRow> PostgresDatabase::find_or_create(std::int64_t run,
                                                        std::span<const Metric* const> first_of_each_key) {
  std::unordered_map<std::string, SeriesRow> known;
  nlohmann::json keys = nlohmann::json::array();
  for (const Metric* each : first_of_each_key) keys.push_back(each->key);
  {
    Query found = query(
        "SELECT key, series, step, timestamp_ms, value, in_order, points FROM series WHERE run = ?1 "
        "AND key = ANY(ARRAY(SELECT json_array_elements_text(CAST(?2 AS json))))");
    found.bind(run, text_of(keys));
    while (found.step()) {
      const double value = number_or_nan(found, 4);
      known[found.text(0)] = {
          found.integer(1), found.integer(2), found.integer(3), value, found.integer(5) != 0, found.integer(6), false};
    }
  }
  nlohmann::json missing = nlohmann::json::array();
  for (const Metric* each : first_of_each_key) {
    if (known.contains(each->key)) continue;
    known[each->key] = {0, each->step, each->timestamp_ms, each->value, true, 0, true};
    missing.push_back({each->key, each->step, each->timestamp_ms, json_of(each->value)});
  }
  if (!missing.empty()) {
    Query created = query(
        "INSERT INTO series (run, key, step, timestamp_ms, value, in_order) "
        "SELECT ?1, v->>0, CAST(v->>1 AS BIGINT), CAST(v->>2 AS BIGINT), CAST(v->>3 AS DOUBLE PRECISION), 1 "
        "FROM json_array_elements(CAST(?2 AS json)) AS list(v) RETURNING key, series");
    created.bind(run, text_of(missing));
    while (created.step()) known.at(created.text(0)).series = created.integer(1);
  }
  std::vector<SeriesRow> rows;
  rows.reserve(first_of_each_key.size());
  for (const Metric* each : first_of_each_key) rows.push_back(known.at(each->key));
  return rows;
}

void PostgresDatabase::update(std::span<const SeriesRow> rows) {
  nlohmann::json all = nlohmann::json::array();
  for (const SeriesRow& each : rows) {
    all.push_back({each.series, each.step, each.timestamp_ms, json_of(each.value), each.in_order ? 1 : 0, each.points});
  }
  query(
      "UPDATE series SET step = CAST(v->>1 AS BIGINT), timestamp_ms = CAST(v->>2 AS BIGINT), "
      "value = CAST(v->>3 AS DOUBLE PRECISION), in_order = CAST(v->>4 AS BIGINT), points = CAST(v->>5 AS BIGINT) "
      "FROM json_array_elements(CAST(?1 AS json)) AS list(v) WHERE series.series = CAST(v->>0 AS BIGINT)")
      .bind(text_of(all))
      .run();
}

// COPY's binary form: numbers of the network's byte order, each after its length, each row after the number of these.
template <class Number>
static void put(std::string& rows, Number number) {
  for (int shift = 8 * (static_cast<int>(sizeof number) - 1); shift >= 0; shift -= 8) {
    rows += static_cast<char>(static_cast<std::uint64_t>(number) >> shift & 0xFF);
  }
}

static void put_field(std::string& rows, std::uint64_t bits) {
  put(rows, std::int32_t{8});
  put(rows, bits);
}

void PostgresDatabase::append(std::span<const MetricRow> rows) {
  constexpr std::size_t many_bytes = 8 << 20;
  for (const auto& [series, metric] : rows) {
    put(rows_, std::int16_t{4});
    put_field(rows_, static_cast<std::uint64_t>(series));
    put_field(rows_, static_cast<std::uint64_t>(metric->step));
    put_field(rows_, static_cast<std::uint64_t>(metric->timestamp_ms));
    if (std::isnan(metric->value))
      put(rows_, std::int32_t{-1});
    else
      put_field(rows_, std::bit_cast<std::uint64_t>(metric->value));
  }
  if (rows_.size() - sent_ > many_bytes) send_rows();
}

void PostgresDatabase::send_rows() {
  if (sent_ == rows_.size()) return;
  static const std::string head("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);  // and no flags, no extension
  static const std::string tail("\377\377", 2);
  simple("COPY metrics (series, step, timestamp_ms, value) FROM STDIN (FORMAT binary)");
  const auto put_bytes = [&](std::string_view bytes) {
    if (PQputCopyData(connection_.get(), bytes.data(), static_cast<int>(bytes.size())) != 1) fail(nullptr);
  };
  put_bytes(head);
  put_bytes(std::string_view(rows_).substr(sent_));
  put_bytes(tail);
  if (PQputCopyEnd(connection_.get(), nullptr) != 1) fail(nullptr);
  checked(received(longest_statement_s));
  sent_ = rows_.size();
  forget_sent_rows();
}

void PostgresDatabase::forget_sent_rows() {
  if (!parts_.empty() || sent_ < rows_.size()) return;
  rows_.clear();
  sent_ = 0;
}

}  // namespace lockstep::history
