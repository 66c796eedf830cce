// What the plain build finds, with no sanitizer: wrong answers of races and of memory that nobody wrote, and accesses
// past the end of device memory, which ends at a page that nobody may touch.
#include <gtest/gtest.h>

#include "tests/gpu_emulation/planted.hpp"

namespace lockstep::emulation {
namespace {

TEST(PlantedBug, SharedMemoryThatNobodyWroteIsNan) {
  EXPECT_EQ(times_wrong([] { return sums<Bug::uninitialised_shared>(); }), 15);
}

TEST(PlantedBug, AWrongStrideGivesWrongAnswersInEveryOrder) {
  EXPECT_EQ(times_wrong([] { return adds<Bug::wrong_stride>(); }), 15);
}

TEST(PlantedBug, AMissingBarrierGivesWrongAnswers) {
  EXPECT_GE(times_wrong([] { return sums<Bug::no_barrier>(); }), 10);
  EXPECT_GE(times_wrong([] { return transposes<Bug::no_second_barrier>(); }), 10);
  EXPECT_GE(times_wrong([] { return reverses<Bug::no_warp_barrier>(); }), 10);
}

TEST(PlantedBugDeathTest, AThreadPastTheEndIsStopped) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(doubles<Bug::no_guard>(), "");
}

TEST(PlantedBugDeathTest, MemoryThatWasFreedIsNotTouchedAgain) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(uses_freed_memory(), "");
}

}  // namespace
}  // namespace lockstep::emulation
