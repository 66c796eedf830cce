// The kernel tests of tests/kernels/ on a real GPU; where there is none, one skipped test says why.
#include <cuda_runtime.h>
#include <fmt/format.h>

#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {

std::unique_ptr<Device> make_test_device() { return make_cuda_device(0); }

}  // namespace lockstep::kernels

int main(int count, char** arguments) {
  ::testing::InitGoogleTest(&count, arguments);
  int devices = 0;
  if (const cudaError_t result = cudaGetDeviceCount(&devices); result != cudaSuccess || devices == 0) {
    const char* why = result == cudaSuccess ? "this machine has none" : cudaGetErrorString(result);
    fmt::print("skipped: no CUDA device: {}\n", why);
    return 77;
  }
  fmt::print("{}\n", lockstep::kernels::make_test_device()->name());
  return RUN_ALL_TESTS();
}
