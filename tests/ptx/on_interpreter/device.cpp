#include "tests/ptx/on_interpreter/device.hpp"

namespace lockstep::ptx {

Interpreter& interpreter() {
  static auto* all = [] {
    auto* made = new Interpreter;
    made->add_files(LOCKSTEP_PTX_FILES);
    return made;
  }();
  return *all;
}

std::unique_ptr<kernels::Device> make_device() {
  emulation::settings() = {};
  emulation::settings().run_instead = [](const emulation::KernelCall& call) { interpreter().run(call); };
  return kernels::make_cuda_device(0);
}

}  // namespace lockstep::ptx
