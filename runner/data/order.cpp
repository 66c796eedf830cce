#include "runner/data/order.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "kernels/philox.hpp"

namespace lockstep::runner {

// 0 <= result < bound; the bias is below bound / 2^64 (Lemire: Fast Random Integer Generation in an Interval, 2019).
static std::uint64_t below(std::uint64_t random, std::uint64_t bound) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((Wide{random} * bound) >> 64);
}

std::vector<std::uint32_t> epoch_order(std::int64_t count, std::uint64_t seed, std::int64_t epoch) {
  std::vector<std::uint32_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0U);
  const auto key = kernels::philox_key(seed, kernels::RandomPurpose::data_order);
  const auto low = static_cast<std::uint32_t>(epoch);
  const auto high = static_cast<std::uint32_t>(epoch >> 32);
  for (std::uint32_t left = static_cast<std::uint32_t>(order.size()); left > 1; --left) {
    const auto words = kernels::philox4x32({left, low, high, 0}, key);
    std::swap(order[left - 1], order[below(std::uint64_t{words[1]} << 32 | words[0], left)]);
  }
  return order;
}

std::int64_t steps_per_epoch(std::int64_t samples, std::int64_t global_batch) {
  return (samples + global_batch - 1) / global_batch;
}

Range global_batch_range(std::int64_t samples, std::int64_t global_batch, std::int64_t step_in_epoch) {
  return {step_in_epoch * global_batch, std::min(samples, (step_in_epoch + 1) * global_batch)};
}

Range share_of(std::int64_t count, int rank, int ranks) { return {rank * count / ranks, (rank + 1) * count / ranks}; }

}  // namespace lockstep::runner
