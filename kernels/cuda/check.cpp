#include "kernels/cuda/check.hpp"

#include "common/error.hpp"

namespace lockstep::kernels::cuda {
namespace {

std::string device_text() {
  int device = -1;
  return cudaGetDevice(&device) == cudaSuccess ? fmt::format("CUDA device {}", device) : "no CUDA device";
}

}  // namespace

void check(cudaError_t result, const char* what) {
  if (result != cudaSuccess) throw failure("{}: {} ({})", what, cudaGetErrorString(result), device_text());
}

void check_launch(cudaError_t result, const Launch& how) {
  if (result == cudaSuccess) return;
  throw failure("kernel {} <<<({}, {}, {}), ({}, {}, {}), {} bytes>>>: {} ({})", how.kernel, how.blocks.x, how.blocks.y,
                how.blocks.z, how.threads.x, how.threads.y, how.threads.z, how.shared_bytes, cudaGetErrorString(result),
                device_text());
}

}  // namespace lockstep::kernels::cuda
