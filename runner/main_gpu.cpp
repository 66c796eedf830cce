// lockstep-train with a CUDA back-end.
#include "runner/collective/nccl/nccl_sums.hpp"
#include "runner/program.hpp"

int main(int argc, char** argv) {
  return lockstep::runner::run_program(argc, argv, {.make_gpu_sums = lockstep::runner::make_gpu_sums, .decorate = {}});
}
