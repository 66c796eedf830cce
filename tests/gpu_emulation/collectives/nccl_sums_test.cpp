// Sums of device memory through make_nccl_sums, with ranks that are threads: exact, in every order that CUDA allows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cuda/device.hpp"
#include "runner/collective/nccl/nccl_sums.hpp"
#include "tests/gpu_emulation/collectives/exact_sums.hpp"
#include "tests/gpu_emulation/collectives/thread_ranks.hpp"
#include "tests/gpu_emulation/nccl/emulated_nccl.hpp"

namespace lockstep {
namespace {

using emulation::settings;
using runner::make_nccl_sums;
using testing::no_errors;
using testing::on_thread_ranks;

class NcclSums : public ::testing::TestWithParam<int> {};

TEST_P(NcclSums, AreExactInEveryOrder) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    settings().seed = seed;
    const auto errors = on_thread_ranks(GetParam(), [](runner::Collective& ranks, kernels::Device& device) {
      const auto sums = make_nccl_sums(ranks, device, {});
      testing::check_buckets(ranks, device, *sums);
    });
    EXPECT_EQ(errors, no_errors(GetParam())) << "seed " << seed;
  }
  EXPECT_EQ(emulation::live_communicators(), 0);
}
TEST_P(NcclSums, OfPartsAreExactInEveryOrder) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    settings().seed = seed;
    const auto errors = on_thread_ranks(GetParam(), [](runner::Collective& ranks, kernels::Device& device) {
      const auto sums = make_nccl_sums(ranks, device, {});
      testing::check_parts(ranks, device, *sums);
    });
    EXPECT_EQ(errors, no_errors(GetParam())) << "seed " << seed;
  }
}
INSTANTIATE_TEST_SUITE_P(Ranks, NcclSums, ::testing::Values(1, 2, 4));

}  // namespace
}  // namespace lockstep
