#include "history/store/metric_rows.hpp"

#include <cmath>
#include <tuple>
#include <utility>

namespace lockstep::history {

bool SeriesRow::is_repeated_by(const Metric& metric) const {
  const bool same_value = metric.value == value || (std::isnan(metric.value) && std::isnan(value));
  return !is_new && metric.step == step && metric.timestamp_ms == timestamp_ms && same_value;
}

void SeriesRow::add(const Metric& metric) {
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

}  // namespace lockstep::history
