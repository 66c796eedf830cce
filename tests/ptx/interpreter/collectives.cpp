// Shuffles, votes and their kin between the lanes of a warp (PTX ISA 9.0, 9.7.13.6 to 9.7.13.10).
#include <fmt/format.h>

#include <algorithm>

#include "tests/ptx/interpreter/warp.hpp"

namespace lockstep::ptx {
namespace {

bool has(Mask mask, int lane) { return (mask >> static_cast<unsigned>(lane) & 1U) != 0; }

// Where a lane's shuffled value comes from; its own where that is out of range.
struct Source {
  int lane = 0;
  bool in_range = false;
};
Source source_of(Collective what, int lane, std::uint32_t b, std::uint32_t c) {
  const int segment = static_cast<int>(c >> 8U & 31U);
  const int last = (lane & segment) | (static_cast<int>(c & 31U) & ~segment);
  const int distance = static_cast<int>(b & 31U);
  int from = 0;
  bool in_range = false;
  switch (what) {
    case Collective::shuffle_up:
      from = lane - distance;
      in_range = from >= last;
      break;
    case Collective::shuffle_down:
      from = lane + distance;
      in_range = from <= last;
      break;
    case Collective::shuffle_xor:
      from = lane ^ distance;
      in_range = from <= last;
      break;
    default:
      from = (lane & segment) | (distance & ~segment);
      in_range = from <= last;
  }
  return {in_range ? from : lane, in_range};
}

void shuffle(Registers& registers, const Instruction& instruction, Mask mask) {
  const Places& at = instruction.at;
  const auto values = registers.narrow[at[1]];
  for_lanes(mask, [&](int lane) {
    const Source from = source_of(instruction.collective, lane, get<std::uint32_t>(registers, at[2], lane),
                                  get<std::uint32_t>(registers, at[3], lane));
    if (!has(mask, from.lane)) {
      throw Fault{lane, fmt::format("a shuffle reads lane {}, which its mask {:#x} does not name", from.lane, mask)};
    }
    put(registers, at[0], lane, values[static_cast<std::size_t>(from.lane)]);
    if (!instruction.has_flag) return;
    const Mask bit = 1U << static_cast<unsigned>(lane);
    Mask& flag = registers.predicates[at[5]];
    flag = from.in_range ? flag | bit : flag & ~bit;
  });
}

void vote(Registers& registers, const Instruction& instruction, Mask mask) {
  const Places& at = instruction.at;
  const Mask those = registers.predicates[at[1]] & mask;
  if (instruction.collective == Collective::ballot) {
    for_lanes(mask, [&](int lane) { put(registers, at[0], lane, those); });
    return;
  }
  const bool result = instruction.collective == Collective::any ? those != 0 : those == mask;
  Mask& all = registers.predicates[at[0]];
  all = result ? all | mask : all & ~mask;
}

void combine(Registers& registers, const Instruction& instruction, Mask mask) {
  const Places& at = instruction.at;
  const auto values = registers.narrow[at[1]];
  for_lanes(mask, [&](int lane) {
    const std::uint32_t own = values[static_cast<std::size_t>(lane)];
    std::uint32_t result =
        instruction.collective == Collective::match || instruction.collective == Collective::sum ? 0 : own;
    for (int other = 0; other < lanes; ++other) {
      if (!has(mask, other)) continue;
      const std::uint32_t value = values[static_cast<std::size_t>(other)];
      switch (instruction.collective) {
        case Collective::match:
          result |= static_cast<Mask>(value == own) << static_cast<unsigned>(other);
          break;
        case Collective::sum:
          result += value;
          break;
        case Collective::smallest:
          result = std::min(result, value);
          break;
        default:
          result = std::max(result, value);
      }
    }
    put(registers, at[0], lane, result);
  });
}

void carry_out(Warp& warp, const Instruction& instruction, Mask mask) {
  switch (instruction.collective) {
    case Collective::synchronize:
      ++warp.syncs;
      break;
    case Collective::shuffle_up:
    case Collective::shuffle_down:
    case Collective::shuffle_xor:
    case Collective::shuffle_index:
      shuffle(warp.registers, instruction, mask);
      break;
    case Collective::any:
    case Collective::all:
    case Collective::ballot:
      vote(warp.registers, instruction, mask);
      break;
    default:
      combine(warp.registers, instruction, mask);
  }
}

}  // namespace

void complete_collective(Warp& warp, const Instruction& instruction, std::uint32_t number) {
  const auto& masks = warp.registers.narrow[instruction.at[4]];
  Mask here = 0;
  for_lanes(warp.waiting, [&](int lane) {
    here |= static_cast<Mask>(warp.at[static_cast<std::size_t>(lane)] == number) << static_cast<unsigned>(lane);
  });
  const Mask present = warp.ready | warp.at_barrier | warp.waiting;
  for (Mask rest = here; rest != 0;) {
    const int first = std::countr_zero(rest);
    const Mask mask = masks[static_cast<std::size_t>(first)];
    if (!has(mask, first)) throw Fault{first, fmt::format("the mask {:#x} does not name the lane itself", mask)};
    if (const Mask absent = mask & ~present; absent != 0) {
      const int lane = std::countr_zero(absent);
      throw Fault{first, fmt::format("the mask {:#x} names lane {}, which {}", mask, lane,
                                     has(warp.ended, lane) ? "has ended" : "the block does not have")};
    }
    rest &= ~mask;
    bool all_came = (mask & ~here) == 0;
    for_lanes(mask & here, [&](int lane) { all_came = all_came && masks[static_cast<std::size_t>(lane)] == mask; });
    if (!all_came) continue;
    carry_out(warp, instruction, mask);
    warp.waiting &= ~mask;
    warp.ready |= mask;
    for_lanes(mask, [&](int lane) { warp.at[static_cast<std::size_t>(lane)] = number + 1; });
  }
}

}  // namespace lockstep::ptx
