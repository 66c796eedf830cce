#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {

std::unique_ptr<Device> make_test_device() { return make_cpu_device(); }

}  // namespace lockstep::kernels
