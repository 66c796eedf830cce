// The rows of metrics, as each engine finds and writes them quickest: nearly all that is ever written is these.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "history/store/values.hpp"

namespace lockstep::history {

// One metric of one run: a row of table `series`. The value that counts as the latest has the greatest step, then
// timestamp, then value (MLflow's rule). NaN is below every number, so that the order is total and does not depend on
// who came first.
struct SeriesRow {
  std::int64_t series = 0;
  std::int64_t step = 0;
  std::int64_t timestamp_ms = 0;
  double value = 0;
  bool in_order = true;  // nothing came after something of a later step, or of the same step and a later time
  std::int64_t points = 0;
  bool is_new = false;  // nothing was added yet

  // The same value again, of the same moment: a client that tried twice, or MLflow's when it names the model that a
  // metric is about. MLflow keeps it once, too.
  bool is_repeated_by(const Metric& metric) const;
  void add(const Metric& metric);
};

// A value, and the series it belongs to.
struct MetricRow {
  std::int64_t series = 0;
  const Metric* metric = nullptr;
};

class MetricRows {
 public:
  virtual ~MetricRows() = default;

  // The series of these keys of a run, one for each, in their order; made where there is none, with the metric as its
  // first value. Every key once.
  virtual std::vector<SeriesRow> find_or_create(std::int64_t run, std::span<const Metric* const> first_of_each_key) = 0;
  virtual void append(std::span<const MetricRow> rows) = 0;
  virtual void update(std::span<const SeriesRow> rows) = 0;
};

}  // namespace lockstep::history
