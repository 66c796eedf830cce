// The kernel tests of tests/kernels/ run here on a real GPU.
#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {

std::unique_ptr<Device> make_test_device() { return make_cuda_device(0); }

}  // namespace lockstep::kernels
