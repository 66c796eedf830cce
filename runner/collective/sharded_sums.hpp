// Sums over ranks for an optimizer whose state is spread over the ranks (ZeRO stage 1: Rajbhandari et al., ZeRO: Memory
// Optimizations Toward Training Trillion Parameter Models, 2020): each rank gets the sum of its own part of the
// gradients, changes its own part of the parameters, and all parts are put together again. The same bytes are sent as
// for whole sums.
#pragma once

#include "runner/collective/device_sums.hpp"

namespace lockstep::runner {

class ShardedSums : public DeviceSums {
 public:
  // Rank r's part of `values` is the r-th of as many equal parts as there are ranks. Throws failure when the number of
  // values can't be divided so. Like start() in all else: in place, after what `after` has by now, until join().
  virtual void start_reduce_scatter(std::span<float> values, kernels::Stream& after) = 0;  // my part becomes its sum
  virtual void start_all_gather(std::span<float> values, kernels::Stream& after) = 0;  // all parts become their owners'
};

// What ranks sum gradients with; nothing on one rank. `sharded` is the same object where each rank's optimizer has its
// own part of the arenas, else null.
struct Sums {
  std::unique_ptr<DeviceSums> whole;
  ShardedSums* sharded = nullptr;
};

}  // namespace lockstep::runner
