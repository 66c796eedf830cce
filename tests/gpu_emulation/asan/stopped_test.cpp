// What ASan and UBSan find: every access out of bounds, in shared memory too, and every use after free.
#include <gtest/gtest.h>

#include "tests/gpu_emulation/planted.hpp"

namespace lockstep::emulation {
namespace {

TEST(PlantedBugDeathTest, AThreadPastTheEndIsStopped) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(doubles<Bug::no_guard>(), "heap-buffer-overflow");
}

TEST(PlantedBugDeathTest, SharedMemoryHasItsExactSize) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(sums<Bug::shared_out_of_bounds>(), "planted_kernels.hpp:.*(out of bounds|heap-buffer-overflow)");
}

TEST(PlantedBugDeathTest, MemoryThatWasFreedIsNotTouchedAgain) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(uses_freed_memory(), "heap-use-after-free");
}

}  // namespace
}  // namespace lockstep::emulation
