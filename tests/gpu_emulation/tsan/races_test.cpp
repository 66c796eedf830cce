// What TSan finds, with every CUDA thread a TSan fiber that only CUDA's own barriers order: races, whatever they did to
// the answer this time.
#include <gtest/gtest.h>

#include "tests/gpu_emulation/planted.hpp"

extern "C" const char* __tsan_default_options() { return "halt_on_error=1"; }  // NOLINT(bugprone-reserved-identifier)

namespace lockstep::emulation {
namespace {

class Races : public ::testing::Test {
 protected:
  Races() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  ~Races() override { settings().os_threads = 1; }
};
using RacesDeathTest = Races;

TEST_F(RacesDeathTest, AMissingAtomic) { EXPECT_DEATH(counts<Bug::not_atomic>(), "data race"); }
TEST_F(RacesDeathTest, AMissingBarrier) {
  EXPECT_DEATH(sums<Bug::no_barrier>(), "data race");
  EXPECT_DEATH(transposes<Bug::no_second_barrier>(), "data race");
}
TEST_F(RacesDeathTest, AMissingWarpBarrier) { EXPECT_DEATH(reverses<Bug::no_warp_barrier>(), "data race"); }
TEST_F(RacesDeathTest, BlocksThatWriteToOneElement) {
  settings().os_threads = 2;  // blocks that run one after the other on one thread are in order to TSan
  EXPECT_DEATH(adds<Bug::wrong_stride>(), "data race");
}

}  // namespace
}  // namespace lockstep::emulation
