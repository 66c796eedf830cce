// The metrics of runs for somebody who follows or sums them up: read over a connection of its own, beside whatever
// writes. A MetricReader is used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "history/store/values.hpp"

namespace lockstep::history {

class Database;

// All values of one metric in short. NaN is neither the least nor the greatest, unless there is nothing else.
struct MetricSummary {
  Metric last;  // by MLflow's rule: the greatest step, then time, then value
  double least = 0;
  double greatest = 0;
  std::int64_t points = 0;
};

class MetricReader {
 public:
  explicit MetricReader(const std::string& store);  // open_store.hpp; it exists
  ~MetricReader();

  // Gives the values that came after the one with the number `after` (0: all), by step, then time. Returns the number
  // of the last that came, to go on from; `after` if there was none.
  std::int64_t follow(const std::string& run_id, std::int64_t after, const std::function<void(const Metric&)>& give);

  std::vector<MetricSummary> summaries(const std::string& run_id);  // by key

 private:
  std::unique_ptr<Database> database_;
};

}  // namespace lockstep::history
