#include "runner/optimizer/schedule.hpp"

#include <gtest/gtest.h>

namespace lockstep::runner {

static Schedule schedule(ScheduleKind kind) {
  Schedule s;
  s.kind = kind;
  s.peak = 0.4;
  s.lowest = 0.1;
  s.warmup_steps = 4;
  s.total_steps = 104;
  s.decay_every = 10;
  s.decay_factor = 0.5;
  return s;
}

TEST(Schedule, RisesInEqualStepsToThePeak) {
  for (const auto kind : {ScheduleKind::constant, ScheduleKind::cosine, ScheduleKind::step}) {
    EXPECT_DOUBLE_EQ(learning_rate(schedule(kind), 0), 0.1);
    EXPECT_DOUBLE_EQ(learning_rate(schedule(kind), 1), 0.2);
    EXPECT_DOUBLE_EQ(learning_rate(schedule(kind), 3), 0.4);
    EXPECT_DOUBLE_EQ(learning_rate(schedule(kind), 4), 0.4);
  }
}

TEST(Schedule, ConstantStays) { EXPECT_DOUBLE_EQ(learning_rate(schedule(ScheduleKind::constant), 99), 0.4); }

TEST(Schedule, CosineIsHalfWayAtHalfTimeAndLowestAtTheEnd) {
  const Schedule cosine = schedule(ScheduleKind::cosine);
  EXPECT_NEAR(learning_rate(cosine, 4 + 50), 0.25, 1e-12);
  EXPECT_NEAR(learning_rate(cosine, 4 + 25), 0.25 + 0.15 * 0.70710678118654752, 1e-12);  // cos(pi / 4)
  EXPECT_NEAR(learning_rate(cosine, 104), 0.1, 1e-12);
  EXPECT_NEAR(learning_rate(cosine, 500), 0.1, 1e-12);
}

TEST(Schedule, StepDecaysAtEveryMultiple) {
  const Schedule step = schedule(ScheduleKind::step);
  EXPECT_DOUBLE_EQ(learning_rate(step, 4 + 9), 0.4);
  EXPECT_DOUBLE_EQ(learning_rate(step, 4 + 10), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate(step, 4 + 35), 0.05);
}

TEST(Schedule, WithoutWarmUpStartsAtThePeak) {
  Schedule s = schedule(ScheduleKind::cosine);
  s.warmup_steps = 0;
  EXPECT_DOUBLE_EQ(learning_rate(s, 0), 0.4);
}

}  // namespace lockstep::runner
