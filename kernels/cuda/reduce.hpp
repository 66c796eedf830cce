// Sums within warps and blocks, in an order that does not depend on the schedule.
#pragma once

#include "kernels/cuda/launch.hpp"

namespace lockstep::kernels::cuda {

inline constexpr unsigned all_lanes = 0xFFFFFFFFU;

// All lanes of the warp must come; each gets the result.
template <class T, class Combine>
__device__ T warp_reduce(T value, Combine combine) {
  for (int distance = 16; distance > 0; distance /= 2) {
    value = combine(value, __shfl_xor_sync(all_lanes, value, distance));
  }
  return value;
}
template <class T>
__device__ T warp_sum(T value) {
  return warp_reduce(value, [](T a, T b) { return a + b; });
}

// All threads of the block must come (a multiple of 32); each gets the result, and may come again at once.
template <class T, class Combine>
__device__ T block_reduce(T value, T neutral, Combine combine) {
  GPU_SHARED(T, of_warps, 32);
  const unsigned lane = threadIdx.x % warpSize;
  const unsigned warp = threadIdx.x / warpSize;
  value = warp_reduce(value, combine);
  if (lane == 0) of_warps[warp] = value;
  __syncthreads();
  // Every warp combines the same values in the same order, which saves a barrier for handing the result around.
  const T all = warp_reduce(lane < blockDim.x / warpSize ? of_warps[lane] : neutral, combine);
  __syncthreads();
  return all;
}
template <class T>
__device__ T block_sum(T value) {
  return block_reduce(value, T(0), [](T a, T b) { return a + b; });
}

}  // namespace lockstep::kernels::cuda
