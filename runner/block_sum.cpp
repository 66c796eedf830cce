#include "runner/block_sum.hpp"

#include <algorithm>
#include <bit>

#include "common/error.hpp"

namespace lockstep::runner {

int blocks_of(int asked, int ranks) {
  return std::has_single_bit(static_cast<unsigned>(ranks)) ? std::max(asked, ranks) : ranks;
}

BlockSum::BlockSum(kernels::Device& device, kernels::Stream& stream, std::span<float> values, int blocks)
    : device_(device), stream_(stream), math_(kernels::make_arena_math(device)), values_(values), blocks_(blocks) {
  for (int pairs = blocks / 2; pairs > 0; pairs /= 2) {
    waiting_.push_back(with_purpose("a sum of gradients over blocks (--blocks)",
                                    [&] { return device.allocate(values.size_bytes()); }));
  }
}

// As in a binary counter: a block that is the second of its pair takes the first one up, and that pair's sum may be the
// second of a larger pair.
void BlockSum::take(int block, std::size_t begin, std::size_t end) {
  const auto level = static_cast<std::size_t>(std::countr_one(static_cast<unsigned>(block)));
  const std::span<float> values = values_.subspan(begin, end - begin);
  const auto waiting = [&](std::size_t i) { return waiting_[i].as<float>().subspan(begin, end - begin); };
  for (std::size_t i = 0; i < level; ++i) math_->add(values, waiting(i), stream_);
  if (block + 1 < blocks_) device_.copy(waiting(level).data(), values.data(), values.size_bytes(), stream_);
}

double pairwise_sum(std::span<const double> values) {
  if (values.size() == 1) return values[0];
  const std::size_t half = values.size() / 2;
  return pairwise_sum(values.first(half)) + pairwise_sum(values.subspan(half));
}

}  // namespace lockstep::runner
