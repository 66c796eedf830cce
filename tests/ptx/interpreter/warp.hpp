// A warp: the registers of 32 lanes, where each lane is, and what it waits for.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "tests/ptx/interpreter/program.hpp"

namespace lockstep::ptx {

struct Warp {
  Registers registers;
  std::array<std::uint32_t, lanes> at{};  // the next instruction of each lane
  unsigned first_thread = 0;              // in the block
  unsigned syncs = 0;                     // __syncwarps that it did in this block
  // Every lane that the block has is in one of these.
  Mask ready = 0;
  Mask at_barrier = 0;
  Mask waiting = 0;  // for other lanes, at a collective
  Mask ended = 0;
};

// What a lane did wrong; whoever runs the block adds the place.
struct Fault {
  int lane = 0;
  std::string what;
};

// Carries out the collective instruction `number` for the lanes of a mask that have all come to it: they are ready
// again, behind it. Called when a lane arrives; the lanes that came are in warp.waiting. Throws Fault.
void complete_collective(Warp& warp, const Instruction& instruction, std::uint32_t number);

}  // namespace lockstep::ptx
