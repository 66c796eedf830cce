// Loops over flat memory, 16 bytes an access where the pointers allow it.
#pragma once

#include <cstdint>

#include "kernels/cuda/device.hpp"
#include "kernels/cuda/launch.hpp"

namespace lockstep::kernels::cuda {

inline constexpr unsigned elementwise_threads = 256;

// `count` elements, of which the first 4 * groups are taken four at a time.
struct Extent {
  std::int64_t count;
  std::int64_t groups;
};

// Groups only where every array begins at a multiple of 16 bytes.
template <class... Pointers>
Extent extent_of(std::int64_t count, const Pointers*... arrays) {
  const bool aligned = ((reinterpret_cast<std::uintptr_t>(arrays) % sizeof(float4) == 0) && ...);
  return {count, aligned ? count / 4 : 0};
}

inline Launch elementwise_launch(const char* kernel, const CudaDevice& device, const Extent& extent, Stream& stream) {
  const std::int64_t units = extent.groups > 0 ? extent.groups : extent.count;
  const std::int64_t wanted = (units + elementwise_threads - 1) / elementwise_threads;
  const auto blocks = static_cast<unsigned>(wanted < device.most_blocks() ? wanted : device.most_blocks());
  return {kernel, dim3(blocks), dim3(elementwise_threads), 0, of(stream)};
}

__device__ inline std::int64_t thread_of_grid() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ inline std::int64_t threads_of_grid() { return static_cast<std::int64_t>(gridDim.x) * blockDim.x; }

__device__ inline float4 four_at(const float* from, std::int64_t group) {
  return reinterpret_cast<const float4*>(from)[group];
}

// y[i] = f(inputs[i]...). y may be one of the inputs.
template <class Function, class... Inputs>
__device__ void map(const Extent& extent, float* y, Function f, const Inputs*... inputs) {
  const std::int64_t stride = threads_of_grid();
  for (std::int64_t group = thread_of_grid(); group < extent.groups; group += stride) {
    const auto apply = [&](const auto&... four) {
      return float4{f(four.x...), f(four.y...), f(four.z...), f(four.w...)};
    };
    reinterpret_cast<float4*>(y)[group] = apply(four_at(inputs, group)...);
  }
  for (std::int64_t i = 4 * extent.groups + thread_of_grid(); i < extent.count; i += stride) y[i] = f(inputs[i]...);
}

}  // namespace lockstep::kernels::cuda
