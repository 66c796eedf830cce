// Loops over flat memory, 16 bytes an access where the pointers allow it.
#pragma once

#include <cstdint>

#include "kernels/cuda/device.hpp"
#include "kernels/cuda/pack.hpp"

namespace lockstep::kernels::cuda {

inline constexpr unsigned elementwise_threads = 256;

// `count` elements, of which the first are taken in groups of 16 bytes: four float32, or eight bfloat16.
struct Extent {
  std::int64_t count;
  std::int64_t groups;
};

// Groups only where every array begins at a multiple of 16 bytes.
template <class T, class... Pointers>
Extent extent_of(std::int64_t count, const T* first, const Pointers*... others) {
  return {count, aligned_for_packs(first, others...) ? count / whole_pack<T> : 0};
}

inline Launch elementwise_launch(const char* kernel, const CudaDevice& device, const Extent& extent, Stream& stream) {
  const std::int64_t units = extent.groups > 0 ? extent.groups : extent.count;
  const std::int64_t wanted = (units + elementwise_threads - 1) / elementwise_threads;
  const auto blocks = static_cast<unsigned>(wanted < device.most_blocks() ? wanted : device.most_blocks());
  return {kernel, dim3(blocks), dim3(elementwise_threads), 0, of(stream)};
}

// Threads of a block that takes a row of so many packs.
inline dim3 row_threads(std::int64_t packs) {
  constexpr std::int64_t most = 256;
  const std::int64_t wanted = (packs + 31) / 32 * 32;
  return {static_cast<unsigned>(wanted < most ? wanted : most)};
}

__device__ inline std::int64_t thread_of_grid() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ inline std::int64_t threads_of_grid() { return static_cast<std::int64_t>(gridDim.x) * blockDim.x; }

__device__ inline float4 four_at(const float* from, std::int64_t group) {
  return reinterpret_cast<const float4*>(from)[group];
}

// y[i] = f(inputs[i]...), in float32. y may be one of the inputs, which have its type.
template <class T, class Function, class... Inputs>
__device__ void map(const Extent& extent, T* y, Function f, const Inputs*... inputs) {
  constexpr int n = whole_pack<T>;
  const std::int64_t stride = threads_of_grid();
  for (std::int64_t group = thread_of_grid(); group < extent.groups; group += stride) {
    const auto apply = [&](const auto&... packs) {
      Pack<T, n> out;
      for (int k = 0; k < n; ++k) out.value[k] = rounded<T>(f(widened(packs.value[k])...));
      return out;
    };
    put_pack<n>(y, group, apply(pack_at<n>(inputs, group)...));
  }
  for (std::int64_t i = n * extent.groups + thread_of_grid(); i < extent.count; i += stride) {
    y[i] = rounded<T>(f(widened(inputs[i])...));
  }
}

}  // namespace lockstep::kernels::cuda
