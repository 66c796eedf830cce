// The kernel tests of tests/kernels/ run here over the CUDA back-end, whose kernels are nvcc's PTX.
#include "tests/kernels/compare.hpp"
#include "tests/ptx/interpreter/interpreter.hpp"

namespace lockstep::kernels {

static ptx::Interpreter& interpreter() {
  static auto* all = [] {
    auto* made = new ptx::Interpreter;
    made->add_files(LOCKSTEP_PTX_FILES);
    return made;
  }();
  return *all;
}

std::unique_ptr<Device> make_test_device() {
  emulation::settings() = {};
  emulation::settings().run_instead = [](const emulation::KernelCall& call) { interpreter().run(call); };
  return make_cuda_device(0);
}

}  // namespace lockstep::kernels
