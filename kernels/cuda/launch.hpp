// The one seam between kernel sources and what compiles them: nvcc (and clang) for a GPU, g++ for the emulator
// (tests/gpu_emulation). Kernels use launch(), GPU_SHARED and DYN_SHARED; never <<<>>>, __shared__ or inline PTX.
#pragma once

#include <utility>

#include "kernels/cuda/check.hpp"

#ifdef __CUDACC__
#define GPU_SHARED(T, name, count) __shared__ T name[count]
#define DYN_SHARED(T, name)                                   \
  extern __shared__ __align__(16) unsigned char name##_raw[]; \
  T* const name = reinterpret_cast<T*>(name##_raw)
#else
#include "emulated_cuda.hpp"  // tests/gpu_emulation/engine, by its include path
#endif

namespace lockstep::kernels::cuda {

// Queues kernel(arguments...) on how.stream. The arguments are converted to the kernel's own types here.
template <class... Parameters, class... Arguments>
void launch(const Launch& how, void (*kernel)(Parameters...), Arguments&&... arguments) {
#ifdef __CUDACC__
  cudaLaunchConfig_t config{};
  config.gridDim = how.blocks;
  config.blockDim = how.threads;
  config.dynamicSmemBytes = how.shared_bytes;
  config.stream = how.stream;
  check_launch(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(std::forward<Arguments>(arguments))...),
               how);
#else
  const emulation::Grid grid{how.blocks, how.threads, how.shared_bytes};
  check_launch(emulation::queue_kernel(how.stream, how.kernel, grid,
                                       [kernel, ... values = static_cast<Parameters>(arguments)] { kernel(values...); },
                                       {reinterpret_cast<const void*>(kernel),
                                        {emulation::bytes_of(static_cast<Parameters>(arguments))...}}),
               how);
#endif
}

}  // namespace lockstep::kernels::cuda
