// Which sample comes when, and whose it is. Pure functions: the order of an epoch depends on (seed, epoch) alone, so
// any number of ranks, and a resumed run, see the same batches.
#pragma once

#include <cstdint>
#include <vector>

namespace lockstep::runner {

// A permutation of 0..count-1. Fisher-Yates (Knuth, TAOCP 2, 3.4.2, algorithm P) with counter-based random numbers.
std::vector<std::uint32_t> epoch_order(std::int64_t count, std::uint64_t seed, std::int64_t epoch);

// Half-open ranges of positions.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
  bool operator==(const Range&) const = default;
};

std::int64_t steps_per_epoch(std::int64_t samples, std::int64_t global_batch);  // the last batch may be smaller

// Positions, in the epoch's order, of global batch `step_in_epoch`.
Range global_batch_range(std::int64_t samples, std::int64_t global_batch, std::int64_t step_in_epoch);

// The part of `count` things that rank has: [rank*count/ranks, (rank+1)*count/ranks). Sizes differ by one at most; a
// rank may have none.
Range share_of(std::int64_t count, int rank, int ranks);

}  // namespace lockstep::runner
