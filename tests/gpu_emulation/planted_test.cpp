// The emulator against bugs that were planted, in every build: right kernels pass, and what CUDA's rules forbid is
// found by the engine itself. What a build alone finds is in plain/, asan/ and tsan/.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gpu_emulation/planted.hpp"

namespace lockstep::emulation {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(RightKernels, PassInEveryOrder) {
  expect_right_in_every_order([] { return doubles<Bug::none>(); });
  expect_right_in_every_order([] { return sums<Bug::none>(); });
  expect_right_in_every_order([] { return transposes<Bug::none>(); });
  expect_right_in_every_order([] { return counts<Bug::none>(); });
  expect_right_in_every_order([] { return reverses<Bug::none>(); });
  expect_right_in_every_order([] { return adds<Bug::none>(); });
}

TEST(RightKernels, PassOnSeveralOsThreads) {
  settings().os_threads = 2;
  expect_right_in_every_order([] { return sums<Bug::none>(9) && counts<Bug::none>() && transposes<Bug::none>(); });
  settings().os_threads = 1;
}

// --- what the rules of CUDA forbid, found by the engine in every build ---

TEST(PlantedBug, AShuffleThatNamesAbsentLanesIsADeadlock) {
  in_every_order([] {
    EXPECT_THAT(error_of([] { sums<Bug::wrong_mask>(); }),
                AllOf(HasSubstr("block ("), ::testing::AnyOf(HasSubstr("which has ended"), HasSubstr("deadlock")),
                      HasSubstr("planted_kernels.hpp:"), HasSubstr("lane ")));
  });
}

TEST(PlantedBug, ThreadsThatWaitAtDifferentBarriersAreNamed) {
  in_every_order([] {
    EXPECT_THAT(error_of([] { sums<Bug::divergent_barrier>(); }),
                AllOf(HasSubstr("divergent __syncthreads"), HasSubstr("planted_kernels.hpp:"), HasSubstr("thread ")));
  });
}

TEST(ImpossibleLaunch, IsRefused) {
  const auto nothing = [] {};
  EXPECT_THAT(error_of([&] { run_grid({1, 1025, 0}, nothing); }), HasSubstr("1025 x 1 x 1 threads"));
  EXPECT_THAT(error_of([&] { run_grid({0, 32, 0}, nothing); }), HasSubstr("0 x 1 x 1 blocks"));
  EXPECT_THAT(error_of([&] { run_grid({dim3(1, 65536), 32, 0}, nothing); }), HasSubstr("65536"));
  EXPECT_THAT(error_of([&] {
                run_grid({1, 32, settings().most_shared_bytes + 1}, nothing);
              }),
              HasSubstr("dynamic shared memory"));
}

TEST(PlantedBug, AWrongDistanceGivesWrongAnswersInEveryOrder) {
  EXPECT_EQ(times_wrong([] { return sums<Bug::wrong_distance>(); }), 15);
}

}  // namespace
}  // namespace lockstep::emulation
