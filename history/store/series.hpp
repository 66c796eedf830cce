// One metric of one run, as its rows lie in the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "history/store/database.hpp"

namespace lockstep::history {

struct Series {
  std::int64_t number = 0;
  bool in_order = false;    // its rowids are in the order of step and time: no sorting, and any row is found quickly
  std::int64_t points = 0;  // if it is in order: its rows, or some fewer when more came in the meantime
};

std::optional<Series> find_series(Database& database, std::int64_t run, const std::string& key);

double number_or_nan(const Query& row, int column);          // NULL is NaN
Metric metric_of(const Query& row, const std::string& key);  // of columns value, timestamp_ms, step

}  // namespace lockstep::history
