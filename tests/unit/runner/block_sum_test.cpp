#include "runner/block_sum.hpp"

#include <gtest/gtest.h>

namespace lockstep::runner {

// Numbers that round differently in every other order.
static float number(std::size_t block, std::size_t at) { return 1.0F / static_cast<float>(3 * at + 7 * block + 1); }

static float by_tree(std::size_t at, std::size_t first, std::size_t count) {
  if (count == 1) return number(first, at);
  return by_tree(at, first, count / 2) + by_tree(at, first + count / 2, count / 2);
}

TEST(BlockSum, IsTheTreeOverTheBlocksWhateverTheRanges) {
  const auto device = kernels::make_cpu_device();
  const auto stream = device->make_stream();
  constexpr std::size_t length = 100;
  for (const int blocks : {1, 2, 4, 8, 32}) {
    std::vector<float> values(length);
    BlockSum sum(*device, *stream, values, blocks);
    for (int round = 0; round < 2; ++round) {  // a second step must not see the first one's
      for (int block = 0; block < blocks; ++block) {
        for (std::size_t at = 0; at < length; ++at) values[at] = number(static_cast<std::size_t>(block), at);
        sum.take(block, 60, 100);
        sum.take(block, 59, 60);
        sum.take(block, 0, 59);
      }
      for (std::size_t at = 0; at < length; ++at) {
        EXPECT_EQ(values[at], by_tree(at, 0, static_cast<std::size_t>(blocks))) << blocks << " blocks, value " << at;
      }
    }
  }
}

TEST(BlockSum, OfHalfTheBlocksIsABranchOfTheTree) {
  const auto device = kernels::make_cpu_device();
  const auto stream = device->make_stream();
  std::vector<float> values(1);
  BlockSum sum(*device, *stream, values, 4);
  for (std::size_t block = 4; block < 8; ++block) {
    values[0] = number(block, 0);
    sum.take(static_cast<int>(block) - 4, 0, 1);
  }
  EXPECT_EQ(by_tree(0, 0, 4) + values[0], by_tree(0, 0, 8));
}

TEST(BlockSum, AddsNumbersPairwise) {
  const double big = 0x1p53;
  EXPECT_EQ(pairwise_sum(std::vector<double>{5}), 5);
  EXPECT_EQ(pairwise_sum(std::vector<double>{big, 1, 1, -big}), big + (1 - big));  // one after the other: 0
  EXPECT_EQ(pairwise_sum(std::vector<double>{big, -big, 1, 1}), 2);
}

TEST(BlockSum, EveryRankHasABlockAndOnlyPowersOfTwoHaveMore) {
  EXPECT_EQ(blocks_of(4, 1), 4);
  EXPECT_EQ(blocks_of(4, 2), 4);
  EXPECT_EQ(blocks_of(4, 8), 8);
  EXPECT_EQ(blocks_of(4, 3), 3);
  EXPECT_EQ(blocks_of(4, 6), 6);
  EXPECT_EQ(blocks_of(1, 1), 1);
}

}  // namespace lockstep::runner
