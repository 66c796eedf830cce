#include "runner/block_sum.hpp"

#include <algorithm>
#include <bit>

namespace lockstep::runner {

int blocks_of(int asked, int ranks) {
  return std::has_single_bit(static_cast<unsigned>(ranks)) ? std::max(asked, ranks) : ranks;
}

BlockSum::BlockSum(std::span<float> values, int blocks) : values_(values), blocks_(blocks) {
  for (int pairs = blocks / 2; pairs > 0; pairs /= 2) waiting_.emplace_back(values.size());
}

// As in a binary counter: a block that is the second of its pair takes the first one up, and that pair's sum may be the
// second of a larger pair.
void BlockSum::take(int block, std::size_t begin, std::size_t end) {
  const auto level = static_cast<std::size_t>(std::countr_one(static_cast<unsigned>(block)));
  float* const values = values_.data();
  for (std::size_t i = 0; i < level; ++i) {
    const float* const first = waiting_[i].data();
    for (std::size_t at = begin; at < end; ++at) values[at] += first[at];
  }
  if (block + 1 < blocks_) std::copy(values + begin, values + end, waiting_[level].data() + begin);
}

double pairwise_sum(std::span<const double> values) {
  if (values.size() == 1) return values[0];
  const std::size_t half = values.size() / 2;
  return pairwise_sum(values.first(half)) + pairwise_sum(values.subspan(half));
}

}  // namespace lockstep::runner
