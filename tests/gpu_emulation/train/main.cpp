// lockstep-train on emulated GPUs. LOCKSTEP_EMULATION_SEED chooses among the orders that CUDA allows,
// LOCKSTEP_EMULATION_MEMORY is a GPU's, in bytes; what the stand-in counted is the last line of standard error.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "runner/collective/nccl/nccl_sums.hpp"
#include "runner/program.hpp"
#include "tests/gpu_emulation/engine/engine.hpp"
#include "tests/gpu_emulation/runtime/memory.hpp"
#include "tests/gpu_emulation/runtime/streams.hpp"

int main(int argc, char** argv) {
  if (const char* seed = std::getenv("LOCKSTEP_EMULATION_SEED")) {
    lockstep::emulation::settings().seed = std::strtoull(seed, nullptr, 10);
  }
  if (const char* bytes = std::getenv("LOCKSTEP_EMULATION_MEMORY")) {
    lockstep::emulation::memory().set_limit(std::strtoull(bytes, nullptr, 10));
  }
  const int code =
      lockstep::runner::run_program(argc, argv, {.make_gpu_sums = lockstep::runner::make_gpu_sums, .decorate = {}});
  const auto& counts = lockstep::emulation::streams().counts;
  fmt::print(stderr, "emulated: {} launches, {} synchronizations, {} event waits, {} copies, {} graph launches\n",
             counts.launches, counts.synchronizations, counts.event_waits, counts.copies, counts.graph_launches);
  return code;
}
