// The kernel tests of tests/kernels/ run here over the CUDA back-end.
#include "tests/gpu_emulation/engine/engine.hpp"
#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {

std::unique_ptr<Device> make_test_device() {
  emulation::settings() = {};
  return make_cuda_device(0);
}

}  // namespace lockstep::kernels
