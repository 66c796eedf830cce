#include "runner/optimizer/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lockstep::runner {

double learning_rate(const Schedule& schedule, std::int64_t step) {
  if (step < schedule.warmup_steps) {
    return schedule.peak * static_cast<double>(step + 1) / static_cast<double>(schedule.warmup_steps);
  }
  const std::int64_t since = step - schedule.warmup_steps;
  switch (schedule.kind) {
    case ScheduleKind::constant:
      return schedule.peak;
    case ScheduleKind::cosine: {
      const std::int64_t length = std::max<std::int64_t>(1, schedule.total_steps - schedule.warmup_steps);
      const double done = std::min(1.0, static_cast<double>(since) / static_cast<double>(length));
      return schedule.lowest + (schedule.peak - schedule.lowest) * (1 + std::cos(std::numbers::pi * done)) / 2;
    }
    case ScheduleKind::step: {
      const std::int64_t decays = since / schedule.decay_every;
      return schedule.peak * std::pow(schedule.decay_factor, static_cast<double>(decays));
    }
  }
  return schedule.peak;
}

}  // namespace lockstep::runner
