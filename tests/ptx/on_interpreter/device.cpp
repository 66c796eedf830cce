#include "tests/ptx/on_interpreter/device.hpp"

#include "tests/ptx/interpreter/text.hpp"
#include "tests/ptx/on_interpreter/symbols.hpp"

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
    interpreter().run(own_name(symbol_at(function)), launch.grid, arguments);
  };
  return kernels::make_cuda_device(0);
}

}  // namespace lockstep::ptx
