// Which value of a series counts as the latest, and whether its values came in order.
#pragma once

#include <cmath>
#include <cstdint>
#include <tuple>
#include <utility>

#include "history/store/values.hpp"

namespace lockstep::history {

// The value that counts as the latest: greatest step, then timestamp, then value (MLflow's rule). NaN is below every
// number, so that the order is total and does not depend on who came first.
struct Latest {
  std::int64_t series = 0;
  std::int64_t step = 0;
  std::int64_t timestamp_ms = 0;
  double value = 0;
  bool in_order = true;  // nothing came after something of a later step, or of the same step and a later time
  std::int64_t points = 0;
  bool is_new = false;  // nothing was added yet

  // The same value again, of the same moment: a client that tried twice, or MLflow's when it names the model that a
  // metric is about. MLflow keeps it once, too.
  bool is_repeated_by(const Metric& metric) const {
    const bool same_value = metric.value == value || (std::isnan(metric.value) && std::isnan(value));
    return !is_new && metric.step == step && metric.timestamp_ms == timestamp_ms && same_value;
  }

  void add(const Metric& metric) {
    ++points;
    is_new = false;
    if (std::tuple(metric.step, metric.timestamp_ms) < std::tuple(step, timestamp_ms)) in_order = false;
    const auto place = [](double value) { return std::pair(!std::isnan(value), std::isnan(value) ? 0.0 : value); };
    if (std::tuple(metric.step, metric.timestamp_ms, place(metric.value)) <=
        std::tuple(step, timestamp_ms, place(value))) {
      return;
    }
    step = metric.step;
    timestamp_ms = metric.timestamp_ms;
    value = metric.value;
  }
};

}  // namespace lockstep::history
