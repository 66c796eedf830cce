// What a stream counts for those that must not ask it.
#include "kernels/cuda/count_up.hpp"

#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {
namespace {

using Counting = OnDevice;

TEST_F(Counting, IsInTheOrderOfTheStreamAndGoesRoundAfterTheLargestNumber) {
  const Buffer counter = moved(std::vector<std::uint32_t>{0xfffffffeU});
  const Buffer seen = device->allocate_host(sizeof(std::uint32_t));
  const auto count = [&] {
    cuda::count_up(counter.as<std::uint32_t>().data(), seen.as<std::uint32_t>().data(), cuda::of(*stream));
    stream->synchronize();
    return seen.as<std::uint32_t>().front();
  };
  EXPECT_EQ(count(), 0xffffffffU);
  EXPECT_EQ(count(), 0U);
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(back<std::uint32_t>(counter), std::vector<std::uint32_t>{1});
}

}  // namespace
}  // namespace lockstep::kernels
