// A whole step of training, against what fully fused kernels would move: the parameters' share is the same for every
// batch, so a small one is the harder case of a kernel that reads weights for each block.
#include <gtest/gtest.h>

#include "tests/ptx/traffic/step.hpp"

namespace lockstep::ptx {
namespace {

constexpr double most_of_fused = 1.15;

bool holds(const Step& step) { return step.own_bytes() > 0 && step.bytes() <= most_of_fused * step.fused_bytes(); }

class StepTraffic : public ::testing::TestWithParam<std::string> {};

TEST_P(StepTraffic, IsNearlyThatOfFullyFusedKernels) {
  const Step step = run_step(GetParam(), 16);
  EXPECT_TRUE(holds(step)) << step.own_bytes() << " bytes of our own kernels and " << step.dense.bytes
                           << " of matrix products; fully fused kernels would move " << step.fused_bytes();
}

INSTANTIATE_TEST_SUITE_P(Models, StepTraffic, ::testing::Values("mlp", "cnn"),
                         [](const auto& about) { return about.param; });

TEST(StepBudget, RefusesMoreBytesAndNone) {
  Step step;
  step.other_fewest_bytes = 1000 * sector_bytes;
  EXPECT_FALSE(holds(step)) << "nothing moved";
  step.counts.sectors = 1150;
  EXPECT_TRUE(holds(step));
  step.dense.bytes = 1000;  // on both sides
  EXPECT_TRUE(holds(step));
  step.counts.sectors = 1156;
  EXPECT_FALSE(holds(step));
}

}  // namespace
}  // namespace lockstep::ptx
