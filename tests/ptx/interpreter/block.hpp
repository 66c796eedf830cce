// Runs a launch's blocks, one after the other: the warps of a block in turns, each until its lanes wait or have ended.
// Of a warp whose lanes parted, those run first that are furthest behind, until they meet the others: nvcc lays a
// kernel out so that lanes part and meet as on a GPU.
#pragma once

#include <vector>

#include "tests/gpu_emulation/engine/engine.hpp"
#include "tests/ptx/interpreter/memory_access.hpp"

namespace lockstep::ptx {

class BlockRunner {
 public:
  BlockRunner(const Program& program, const emulation::Grid& grid, MemoryAccess& memory);
  // Throws emulation::KernelError with kernel, block, thread and place.
  void run(const uint3& index);

  // How often lanes executed each instruction of the program, in all blocks.
  const std::vector<std::uint64_t>& executed() const { return executed_; }

 private:
  void start(const uint3& index);
  void run_warp(Warp& warp);
  void run_together(Warp& warp, Mask active, std::uint32_t at, std::uint32_t limit);
  void branch_by_table(Warp& warp, const Instruction& instruction, std::uint32_t at, Mask active) const;
  bool release_barrier();
  void finish_barrier(const std::vector<std::pair<Warp*, int>>& those, const Instruction& instruction);
  void check_same_place(const std::vector<std::pair<Warp*, int>>& those) const;
  [[noreturn]] void fail(const Warp& warp, int lane, std::uint32_t at, const std::string& what) const;
  [[noreturn]] void fail_deadlocked();
  unsigned threads() const;

  const Program& program_;
  emulation::Grid grid_;
  MemoryAccess& memory_;
  std::vector<Warp> warps_;
  std::vector<std::uint64_t> executed_;
  std::uint64_t steps_left_;
  uint3 index_{};
};

}  // namespace lockstep::ptx
