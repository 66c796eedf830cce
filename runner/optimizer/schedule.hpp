// Learning rates as pure functions of the step.
#pragma once

#include <cstdint>
#include <string>

namespace lockstep::runner {

enum class ScheduleKind { constant, cosine, step };

struct Schedule {
  ScheduleKind kind = ScheduleKind::constant;
  double peak = 0.05;
  double lowest = 0;  // cosine ends here
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps = 1;  // cosine's length, warm-up included
  std::int64_t decay_every = 1;  // step: steps between two decays, counted after the warm-up
  double decay_factor = 0.1;
};

// The rate of update `step` (from 0). For step < w: peak * (step + 1) / w. After it, with s = step - w:
//   constant  peak
//   cosine    lowest + (peak - lowest) * (1 + cos(pi * s / (total - w))) / 2   (Loshchilov, Hutter: SGDR, eq. 5; one
//   cycle) step      peak * factor ^ floor(s / every)
double learning_rate(const Schedule& schedule, std::int64_t step);

}  // namespace lockstep::runner
