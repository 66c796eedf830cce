// Sums of device memory through make_nccl_sums, with ranks that are threads: exact, in every order that CUDA allows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cuda/device.hpp"
#include "runner/collective/nccl/nccl_sums.hpp"
#include "tests/gpu_emulation/collectives/exact_sums.hpp"
#include "tests/gpu_emulation/collectives/thread_ranks.hpp"
#include "tests/gpu_emulation/nccl/emulated_nccl.hpp"
#include "tests/gpu_emulation/runtime/streams.hpp"

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
TEST_P(NcclSums, InBfloat16AreExactWhereNothingIsRounded) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    settings().seed = seed;
    const auto errors = on_thread_ranks(GetParam(), [](runner::Collective& ranks, kernels::Device& device) {
      const auto sums = make_nccl_sums(ranks, device, {.gradients = kernels::DataType::bf16});
      testing::check_buckets(ranks, device, *sums, 3, testing::small);
    });
    EXPECT_EQ(errors, no_errors(GetParam())) << "seed " << seed;
    const auto of_parts = on_thread_ranks(GetParam(), [](runner::Collective& ranks, kernels::Device& device) {
      const auto sums = make_nccl_sums(ranks, device, {.gradients = kernels::DataType::bf16});
      testing::check_parts(ranks, device, *sums, testing::small);
    });
    EXPECT_EQ(of_parts, no_errors(GetParam())) << "seed " << seed;
  }
}
TEST_P(NcclSums, InBfloat16AreRounded) {  // so the comparison can fail
  const auto errors = on_thread_ranks(GetParam(), [](runner::Collective& ranks, kernels::Device& device) {
    const auto sums = make_nccl_sums(ranks, device, {.gradients = kernels::DataType::bf16});
    testing::check_buckets(ranks, device, *sums);
  });
  EXPECT_THAT(errors, ::testing::Each(::testing::HasSubstr("instead of")));
}
INSTANTIATE_TEST_SUITE_P(Ranks, NcclSums, ::testing::Values(1, 2, 4));

TEST(NcclSumsOfTwo, NeverMakeTheHostWait) {
  const auto errors = on_thread_ranks(2, [](runner::Collective& ranks, kernels::Device& device) {
    const auto sums = make_nccl_sums(ranks, device, {});
    const auto stream = device.make_stream();
    const kernels::Buffer values = device.allocate(2000 * sizeof(float));
    const auto before = emulation::streams().counts.synchronizations;
    for (int i = 0; i < 20; ++i) sums->start(values.as<float>().subspan(100 * i, 100), *stream);
    sums->join(*stream);
    const auto waits = emulation::streams().counts.synchronizations - before;
    if (waits != 0) throw std::runtime_error(fmt::format("the host waited {} times", waits));
  });
  EXPECT_EQ(errors, no_errors(2));
}

TEST(NcclSumsOfTwo, RefuseWhatTheyCannotDo) {
  const auto errors = on_thread_ranks(2, [](runner::Collective& ranks, kernels::Device& device) {
    const auto stream = device.make_stream();
    const kernels::Buffer values = device.allocate(7 * sizeof(float));
    make_nccl_sums(ranks, device, {})->start_reduce_scatter(values.as<float>(), *stream);
  });
  EXPECT_THAT(errors, ::testing::Each("7 values can't be divided into equal parts for 2 ranks"));
  const auto on_cpu = on_thread_ranks(1, [](runner::Collective& ranks, kernels::Device& /*device*/) {
    make_nccl_sums(ranks, *kernels::make_cpu_device(), {});
  });
  EXPECT_THAT(on_cpu, ::testing::Each(::testing::StartsWith("NCCL adds up on GPUs only, not on ")));
}

// What was started is done when the sums go in order, and given up when an exception takes them.
TEST(NcclSumsOfTwo, CanBeLeftWithSumsUnderWay) {
  const auto errors = on_thread_ranks(2, [](runner::Collective& ranks, kernels::Device& device) {
    const auto stream = device.make_stream();
    const kernels::Buffer values = device.allocate(1000 * sizeof(float));
    testing::launch_over(1000, *stream, testing::write_gradients, values.as<float>().data(), 0U, 1000U, ranks.rank(), 0,
                         testing::large);
    make_nccl_sums(ranks, device, {})->start(values.as<float>(), *stream);
    testing::expect_exactly(testing::on_host(device, *stream, values),
                            [](unsigned i) { return testing::sum_of_gradients(i, 2, 0); });
  });
  EXPECT_EQ(errors, no_errors(2));
  const auto thrown = on_thread_ranks(2, [](runner::Collective& ranks, kernels::Device& device) {
    const auto stream = device.make_stream();
    const kernels::Buffer values = device.allocate(1000 * sizeof(float));
    const auto sums = make_nccl_sums(ranks, device, {});
    if (ranks.rank() == 0) sums->start(values.as<float>(), *stream);
    throw std::runtime_error("an error of its own");
  });
  EXPECT_THAT(thrown, ::testing::Each("an error of its own"));
  EXPECT_EQ(emulation::live_communicators(), 0);
}

}  // namespace
}  // namespace lockstep
