#include "tests/ptx/on_interpreter/device.hpp"

#include "tests/gpu_emulation/engine/kernel_name.hpp"

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
  emulation::settings().run_instead = [](const emulation::KernelCall& launch) {
    const auto& [function, arguments] = launch.call;
    interpreter().run(emulation::kernel_at(function), launch.grid, arguments);
  };
  return kernels::make_cuda_device(0);
}

}  // namespace lockstep::ptx
