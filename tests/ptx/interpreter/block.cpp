#include "tests/ptx/interpreter/block.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

namespace lockstep::ptx {

using emulation::KernelError;

// Instructions of a warp, in a launch. The longest of the tests' take a thousandth of it.
static constexpr std::uint64_t most_steps = 20'000'000'000;
static constexpr std::uint32_t nowhere = std::numeric_limits<std::uint32_t>::max();

BlockRunner::BlockRunner(const Program& program, const emulation::Grid& grid, MemoryAccess& memory)
    : program_(program),
      grid_(grid),
      memory_(memory),
      warps_((threads() + lanes - 1) / lanes),
      executed_(program.code.size()),
      steps_left_(most_steps) {
  const dim3& dim = grid_.threads;
  for (std::size_t i = 0; i < warps_.size(); ++i) {
    Warp& warp = warps_[i];
    warp.registers = program_.registers;
    warp.first_thread = static_cast<unsigned>(i) * lanes;
    auto& narrow = warp.registers.narrow;
    for_lanes(all_lanes, [&](int lane) {
      const unsigned thread = warp.first_thread + static_cast<unsigned>(lane);
      const Mask bit = 1U << static_cast<unsigned>(lane);
      const std::array<std::uint32_t, special_names.size()> values = {thread % dim.x,
                                                                      thread / dim.x % dim.y,
                                                                      thread / (dim.x * dim.y),
                                                                      dim.x,
                                                                      dim.y,
                                                                      dim.z,
                                                                      0,
                                                                      0,
                                                                      0,
                                                                      grid_.blocks.x,
                                                                      grid_.blocks.y,
                                                                      grid_.blocks.z,
                                                                      static_cast<std::uint32_t>(lane),
                                                                      bit,
                                                                      bit - 1,
                                                                      bit | (bit - 1),
                                                                      ~(bit | (bit - 1)),
                                                                      ~(bit - 1)};
      for (std::size_t k = 0; k < values.size(); ++k) narrow[k][static_cast<std::size_t>(lane)] = values[k];
    });
  }
}

unsigned BlockRunner::threads() const { return grid_.threads.x * grid_.threads.y * grid_.threads.z; }

void BlockRunner::start(const uint3& index) {
  index_ = index;
  for (Warp& warp : warps_) {
    const unsigned count = std::min<unsigned>(lanes, threads() - warp.first_thread);
    warp.ready = count == lanes ? all_lanes : (1U << count) - 1;
    warp.at_barrier = warp.waiting = warp.ended = 0;
    warp.syncs = 0;
    warp.at.fill(0);
    warp.registers.narrow[ctaid].fill(index.x);
    warp.registers.narrow[ctaid + 1].fill(index.y);
    warp.registers.narrow[ctaid + 2].fill(index.z);
  }
}

void BlockRunner::run(const uint3& index) {
  start(index);
  do {
    for (Warp& warp : warps_) run_warp(warp);
  } while (release_barrier());
}

void BlockRunner::run_warp(Warp& warp) {
  while (warp.ready != 0) {
    std::uint32_t first = nowhere;
    for_lanes(warp.ready, [&](int lane) { first = std::min(first, warp.at[static_cast<std::size_t>(lane)]); });
    Mask active = 0;
    std::uint32_t next = nowhere;  // where the nearest of the others are
    for_lanes(warp.ready, [&](int lane) {
      const std::uint32_t at = warp.at[static_cast<std::size_t>(lane)];
      if (at == first) {
        active |= 1U << static_cast<unsigned>(lane);
      } else {
        next = std::min(next, at);
      }
    });
    run_together(warp, active, first, next);
  }
}

static Mask enabled(const Warp& warp, const Instruction& instruction, Mask active) {
  if (!instruction.guarded) return active;
  const Mask guard = warp.registers.predicates[instruction.guard];
  return active & (instruction.negated ? ~guard : guard);
}

// mov.b64 %rd, {%r1, %r2}, and back
static void pack(Registers& registers, const Instruction& instruction, Mask active) {
  const Access& parts = instruction.access;
  const auto whole_is_wide = instruction.files[4] == File::wide;
  const std::uint64_t part_mask = (std::uint64_t{1} << (8U * parts.bytes)) - 1;
  for_lanes(active, [&](int lane) {
    std::uint64_t whole = 0;
    for (unsigned k = 0; k < parts.count; ++k) {
      whole |= (get<std::uint32_t>(registers, instruction.at[k], lane) & part_mask) << (8U * parts.bytes * k);
    }
    if (whole_is_wide) {
      put(registers, instruction.at[4], lane, whole);
    } else {
      put(registers, instruction.at[4], lane, static_cast<std::uint32_t>(whole));
    }
  });
}
static void unpack(Registers& registers, const Instruction& instruction, Mask active) {
  const Access& parts = instruction.access;
  const auto whole_is_wide = instruction.files[4] == File::wide;
  const std::uint64_t part_mask = (std::uint64_t{1} << (8U * parts.bytes)) - 1;
  for_lanes(active, [&](int lane) {
    const std::uint64_t whole = whole_is_wide ? get<std::uint64_t>(registers, instruction.at[4], lane)
                                              : get<std::uint32_t>(registers, instruction.at[4], lane);
    for (unsigned k = 0; k < parts.count; ++k) {
      if (instruction.at[k] == no_register) continue;
      put(registers, instruction.at[k], lane, static_cast<std::uint32_t>(whole >> (8U * parts.bytes * k) & part_mask));
    }
  });
}

void BlockRunner::branch_by_table(Warp& warp, const Instruction& instruction, std::uint32_t at, Mask active) const {
  for_lanes(active, [&](int lane) {
    const auto choice = get<std::uint32_t>(warp.registers, instruction.at[0], lane);
    if (choice >= instruction.targets.size()) fail(warp, lane, at, "a branch past the end of its table");
    warp.at[static_cast<std::size_t>(lane)] = instruction.targets[choice];
  });
}

// Runs the active lanes, all at one place, until they wait, end, part or come to `limit`, where others are.
void BlockRunner::run_together(Warp& warp, Mask active, std::uint32_t at, std::uint32_t limit) {
  const auto leave = [&](Mask those, std::uint32_t where) {
    for_lanes(those, [&](int lane) { warp.at[static_cast<std::size_t>(lane)] = where; });
  };
  while (at < limit) {
    if (at >= program_.code.size()) fail(warp, std::countr_zero(active), at, "the kernel ends without ret");
    if (--steps_left_ == 0) fail(warp, std::countr_zero(active), at, "the launch does not end");
    const Instruction& instruction = program_.code[at];
    const Mask those = enabled(warp, instruction, active);
    executed_[at] += static_cast<std::uint64_t>(std::popcount(those));
    try {
      switch (instruction.kind) {
        case Kind::compute:
          instruction.compute(warp.registers, instruction.at, those);
          break;
        case Kind::pack:
          pack(warp.registers, instruction, those);
          break;
        case Kind::unpack:
          unpack(warp.registers, instruction, those);
          break;
        case Kind::load:
          memory_.load(warp, instruction, those);
          break;
        case Kind::store:
          memory_.store(warp, instruction, those);
          break;
        case Kind::atomic:
          memory_.atomic(warp, instruction, those);
          break;
        case Kind::nothing:
          break;
        case Kind::branch:
          if (those == 0) break;
          if (those == active) {
            at = instruction.target;
            continue;
          }
          leave(those, instruction.target);
          return leave(active & ~those, at + 1);
        case Kind::branch_table:
          leave(active, at + 1);
          return branch_by_table(warp, instruction, at, those);
        case Kind::exit:
          leave(active, at + 1);
          warp.ready &= ~those;
          warp.ended |= those;
          return;
        case Kind::barrier:
          leave(active & ~those, at + 1);
          leave(those, at);
          warp.ready &= ~those;
          warp.at_barrier |= those;
          return;
        case Kind::collective:
          leave(active & ~those, at + 1);
          leave(those, at);
          warp.ready &= ~those;
          warp.waiting |= those;
          return complete_collective(warp, instruction, at);
      }
    } catch (const Fault& fault) {
      fail(warp, fault.lane, at, fault.what);
    }
    ++at;
  }
  leave(active, at);
}

// --- barriers ---

// Lets those go whose barrier is complete; false when the block has ended. A barrier without a count is for all threads
// that have not ended.
bool BlockRunner::release_barrier() {
  std::map<std::uint32_t, std::vector<std::pair<Warp*, int>>> arrived;  // by the barrier's number
  std::size_t alive = 0;
  for (Warp& warp : warps_) {
    alive += static_cast<std::size_t>(std::popcount(warp.at_barrier | warp.waiting));
    for_lanes(warp.at_barrier, [&](int lane) {
      const Instruction& instruction = program_.code[warp.at[static_cast<std::size_t>(lane)]];
      arrived[get<std::uint32_t>(warp.registers, instruction.at[1], lane)].emplace_back(&warp, lane);
    });
  }
  if (alive == 0) return false;
  bool released = false;
  for (const auto& [number, those] : arrived) {
    const auto& [warp, lane] = those.front();
    const Instruction& instruction = program_.code[warp->at[static_cast<std::size_t>(lane)]];
    const std::size_t wanted =
        instruction.has_threads ? get<std::uint32_t>(warp->registers, instruction.at[2], lane) : alive;
    if (!instruction.has_threads) check_same_place(those);
    if (those.size() != wanted) continue;
    finish_barrier(those, instruction);
    released = true;
  }
  if (!released) fail_deadlocked();
  memory_.pass_barrier();
  return true;
}

void BlockRunner::check_same_place(const std::vector<std::pair<Warp*, int>>& those) const {
  const auto place = [](const std::pair<Warp*, int>& thread) {
    return thread.first->at[static_cast<std::size_t>(thread.second)];
  };
  const auto& first = those.front();
  for (const auto& other : those) {
    if (place(other) == place(first)) continue;
    fail(*other.first, other.second, place(other),
         fmt::format("threads wait at different barriers: thread {} at {}",
                     first.first->first_thread + static_cast<unsigned>(first.second), program_.place_of(place(first))));
  }
}

void BlockRunner::finish_barrier(const std::vector<std::pair<Warp*, int>>& those, const Instruction& instruction) {
  std::uint32_t count = 0;
  if (instruction.barrier_result != BarrierResult::none) {
    for (const auto& [warp, lane] : those) count += get<bool>(warp->registers, instruction.at[3], lane) ? 1U : 0;
  }
  for (const auto& [warp, lane] : those) {
    const Mask bit = 1U << static_cast<unsigned>(lane);
    if (instruction.barrier_result == BarrierResult::count) {
      put(warp->registers, instruction.at[0], lane, count);
    } else if (instruction.barrier_result != BarrierResult::none) {
      const bool result = instruction.barrier_result == BarrierResult::any ? count > 0 : count == those.size();
      Mask& all = warp->registers.predicates[instruction.at[0]];
      all = result ? all | bit : all & ~bit;
    }
    warp->at_barrier &= ~bit;
    warp->ready |= bit;
    ++warp->at[static_cast<std::size_t>(lane)];
  }
}

// --- what went wrong ---

void BlockRunner::fail(const Warp& warp, int lane, std::uint32_t at, const std::string& what) const {
  throw KernelError(fmt::format("block ({}, {}, {}) thread {} (lane {}): {}; {}", index_.x, index_.y, index_.z,
                                warp.first_thread + static_cast<unsigned>(lane), lane, what, program_.place_of(at)));
}

void BlockRunner::fail_deadlocked() {
  for (Warp& warp : warps_) {
    if (warp.waiting == 0) continue;
    const int lane = std::countr_zero(warp.waiting);
    const std::uint32_t at = warp.at[static_cast<std::size_t>(lane)];
    try {
      complete_collective(warp, program_.code[at], at);  // names lanes that ended after the others had come
    } catch (const Fault& fault) {
      fail(warp, fault.lane, at, fault.what);
    }
    fail(warp, lane, at, "deadlock: it waits for lanes that never come");
  }
  for (const Warp& warp : warps_) {
    if (warp.at_barrier == 0) continue;
    const int lane = std::countr_zero(warp.at_barrier);
    fail(warp, lane, warp.at[static_cast<std::size_t>(lane)], "deadlock: others never reach its barrier");
  }
  throw KernelError("deadlock");  // not reached: somebody waits
}

}  // namespace lockstep::ptx
