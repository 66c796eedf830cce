// Runs kernels from the PTX that nvcc made of them, on the CPU: what is out of bounds, misaligned, in no order or
// against the rules of barriers and warp operations ends in emulation::KernelError with kernel, thread and line; what
// was done is counted.
//
// What this cannot show: speed; what ptxas and the hardware make of the PTX; the last bits of approximations (.approx);
// weak memory. Threads of two blocks have no order here, not even by fences and atomics.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/gpu_emulation/engine/engine.hpp"
#include "tests/ptx/interpreter/counts.hpp"
#include "tests/ptx/interpreter/global_memory.hpp"

namespace lockstep::ptx {

struct LaunchRecord {
  std::string kernel;
  emulation::Grid grid;
  Counts counts;
};

class Interpreter {
 public:
  // Takes in the kernels of a file; they are decoded when they are first launched.
  void add(const std::string& file, std::string_view text);
  // All files that a list names, one a line.
  void add_files(const std::string& list);

  std::vector<std::string> kernel_names() const;

  // Runs a kernel: the one with that very name, template arguments included. An argument is its bytes.
  void run(const std::string& name, const emulation::Grid& grid, const std::vector<std::vector<std::byte>>& arguments);

  std::function<void(const LaunchRecord&)> on_launch;  // told of each launch that ended well; may be empty

 private:
  const Program& program(const std::string& name);

  std::vector<KernelText> kernels_;
  std::map<std::string, std::unique_ptr<Program>> programs_;
  GlobalMemory global_;
};

}  // namespace lockstep::ptx
