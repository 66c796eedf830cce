#include "runner/optimizer/schedule.hpp"

#include <algorithm>

#include "kernels/plain_math.hpp"

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
      return schedule.lowest + (schedule.peak - schedule.lowest) * (1 + kernels::cosine_of_half_turns(done)) / 2;
    }
    case ScheduleKind::step: {
      const auto decays = static_cast<std::uint64_t>(since / schedule.decay_every);
      return schedule.peak * kernels::power(schedule.decay_factor, decays);
    }
  }
  return schedule.peak;
}

}  // namespace lockstep::runner
