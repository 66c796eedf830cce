// The kernel tests of tests/kernels/ run here over the CUDA back-end, whose kernels are nvcc's PTX.
#include "tests/kernels/compare.hpp"
#include "tests/ptx/on_interpreter/device.hpp"

namespace lockstep::kernels {

std::unique_ptr<Device> make_test_device() { return ptx::make_device(); }

}  // namespace lockstep::kernels
