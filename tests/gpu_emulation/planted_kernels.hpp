// Small kernels, each right or with one planted bug: what the emulator and its sanitizers must find.
#pragma once

#include "kernels/cuda/launch.hpp"

namespace lockstep::emulation {

enum class Bug {
  none,
  no_guard,           // a thread past the end writes
  no_barrier,         // partial sums are read before they are written
  no_second_barrier,  // the next tile is written while the last is read
  shared_out_of_bounds,
  wrong_mask,         // a shuffle names lanes that do not come
  divergent_barrier,  // two halves of a block wait at different barriers
  missed_barrier,     // a thread waits where another left
  uninitialised_shared,
  not_atomic,
  no_warp_barrier,  // lanes read what others write, without __syncwarp
  wrong_stride,     // a grid-stride loop strides by a block
  wrong_distance,   // the tree of a warp's sum leaves lanes out
};

template <Bug bug>
__global__ void double_all(const float* x, float* y, int count) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (bug != Bug::no_guard && i >= count) return;
  y[i] = 2 * x[i];
}

template <Bug bug>
__device__ float warp_sum(float value, unsigned mask = 0xFFFFFFFFU) {
  for (int distance = bug == Bug::wrong_distance ? 8 : 16; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(mask, value, distance);
  }
  return value;
}

// sums[block] = the sum of the block's elements.
template <Bug bug>
__global__ void sum_blocks(const float* x, float* sums, int count) {
  GPU_SHARED(float, partial, 8);
  const unsigned lane = threadIdx.x % warpSize;
  const unsigned warp = threadIdx.x / warpSize;
  const unsigned warps = blockDim.x / warpSize;
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  const float sum = warp_sum<bug>(i < static_cast<unsigned>(count) ? x[i] : 0.0F);
  if (lane == 0) partial[bug == Bug::shared_out_of_bounds ? 8 * warp : warp] = sum;
  if (bug == Bug::missed_barrier && threadIdx.x == 40) return;
  if (bug == Bug::divergent_barrier && warp == 1) {  // NOLINT(bugprone-branch-clone): that is the bug
    __syncthreads();
  } else if (bug != Bug::no_barrier) {
    __syncthreads();
  }
  if (warp != 0) return;
  if (bug == Bug::wrong_mask && lane >= warps) return;
  const float mine = lane < warps || bug == Bug::uninitialised_shared ? partial[lane % 8] : 0.0F;
  const float all = warp_sum<bug>(bug == Bug::uninitialised_shared && lane >= warps ? mine * 0.0F : mine);
  if (lane == 0) sums[blockIdx.x] = all;
}

// y = the matrix (side, side) transposed, a tile of 8 x 8 at a time, each block a row of tiles.
template <Bug bug>
__global__ void transpose(const float* x, float* y, int side) {
  GPU_SHARED(float, tile, 64);
  for (int column = 0; column < side; column += 8) {
    const int row = static_cast<int>(blockIdx.x) * 8;
    tile[threadIdx.y * 8 + threadIdx.x] =
        x[(row + static_cast<int>(threadIdx.y)) * side + column + static_cast<int>(threadIdx.x)];
    __syncthreads();
    y[(column + static_cast<int>(threadIdx.y)) * side + row + static_cast<int>(threadIdx.x)] =
        tile[threadIdx.x * 8 + threadIdx.y];
    if (bug != Bug::no_second_barrier) __syncthreads();
  }
}

template <Bug bug>
__global__ void count_values(const int* x, unsigned* counts, int count) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= count) return;
  if (bug == Bug::not_atomic) {
    counts[x[i]] += 1;
  } else {
    atomicAdd(&counts[x[i]], 1U);
  }
}

// Reverses each group of 32.
template <Bug bug>
__global__ void reverse_warps(const float* x, float* y) {
  GPU_SHARED(float, all, 128);
  const unsigned lane = threadIdx.x % warpSize;
  const unsigned first = threadIdx.x - lane;
  all[threadIdx.x] = x[threadIdx.x];
  if (bug != Bug::no_warp_barrier) __syncwarp();
  y[threadIdx.x] = all[first + warpSize - 1 - lane];
}

// A grid-stride loop.
template <Bug bug>
__global__ void add_one(float* x, int count) {
  const unsigned stride = bug == Bug::wrong_stride ? blockDim.x : gridDim.x * blockDim.x;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < static_cast<unsigned>(count); i += stride) x[i] += 1;
}

}  // namespace lockstep::emulation
