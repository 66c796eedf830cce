// Every call of the CUDA runtime, and every launch, is looked at here.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>

namespace lockstep::kernels::cuda {

// How a kernel is started.
struct Launch {
  const char* kernel;  // its name, for errors
  dim3 blocks;
  dim3 threads;
  std::size_t shared_bytes;  // dynamic
  cudaStream_t stream;
};

// Throws Error with the kernel, its grid and the device when `result` is not success.
void check_launch(cudaError_t result, const Launch& how);

// Throws Error (failed) when `result` is not success: what was tried, what CUDA says, on which device.
void check(cudaError_t result, const char* what);

}  // namespace lockstep::kernels::cuda
