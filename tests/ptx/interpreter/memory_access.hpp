// Loads, stores and atomic operations of a warp: checked against what may be touched and in which order, counted by
// sectors and banks, then done.
#pragma once

#include <cstddef>
#include <vector>

#include "tests/ptx/interpreter/counts.hpp"
#include "tests/ptx/interpreter/global_memory.hpp"
#include "tests/ptx/interpreter/warp.hpp"

namespace lockstep::ptx {

class MemoryAccess {
 public:
  MemoryAccess(GlobalMemory& global, std::vector<std::byte> parameters, std::size_t shared_bytes,
               std::size_t local_bytes, unsigned threads, std::uint64_t first_block, Counts& counts);

  // Shared memory is nobody's again: what it has may not be read before it was written.
  void begin_block(std::uint64_t number);
  void pass_barrier() { ++now_.epoch; }

  // Each for the active lanes, in their order. Throws Fault.
  void load(Warp& warp, const Instruction& instruction, Mask active);
  void store(Warp& warp, const Instruction& instruction, Mask active);
  void atomic(Warp& warp, const Instruction& instruction, Mask active);

 private:
  struct Request;
  std::byte* find(const Warp& warp, const Access& access, int lane, Touch how, Request& request);
  std::byte* in_global(std::uint64_t address, std::size_t bytes, Touch how, int lane, Request& request);
  std::byte* in_shared(std::uint64_t address, std::size_t bytes, Touch how, int lane, Request& request);
  void check_order(const Conflict& conflict, Touch how, int lane, const char* where) const;
  void count(const Request& request);

  GlobalMemory& global_;
  std::vector<std::byte> parameters_;
  std::vector<std::byte> shared_;
  Shadow shared_shadow_;
  std::vector<std::byte> local_;
  std::size_t local_bytes_;
  std::uint64_t first_block_;
  Counts& counts_;
  Stamp now_;
};

}  // namespace lockstep::ptx
