#include "tests/ptx/interpreter/global_memory.hpp"

#include <algorithm>
#include <utility>

#include "tests/gpu_emulation/runtime/memory.hpp"

namespace lockstep::ptx {

std::uint64_t GlobalMemory::begin_launch(std::uint64_t blocks) {
  if (next_block_ + blocks > most_blocks) {  // numbers run out: forget everything, begin anew
    allocations_.clear();
    next_block_ = 1;
  }
  // Memory that was freed is never given out again, so an address is one allocation for good.
  std::vector<Allocation> now;
  auto known = allocations_.begin();
  for (const auto& memory : emulation::memory().allocations()) {
    const auto begin = reinterpret_cast<std::uint64_t>(memory.data());
    while (known != allocations_.end() && known->begin < begin) ++known;
    const bool is_known = known != allocations_.end() && known->begin == begin && known->bytes == memory.size();
    now.push_back(is_known ? std::move(*known) : Allocation{begin, memory.size(), nullptr});
  }
  allocations_ = std::move(now);
  last_ = nullptr;
  return std::exchange(next_block_, next_block_ + blocks);
}

Allocation* GlobalMemory::nearest(std::uint64_t address) {
  if (last_ != nullptr && address - last_->begin < last_->bytes) return last_;
  auto after = std::ranges::upper_bound(allocations_, address, {}, &Allocation::begin);
  if (after == allocations_.begin()) return nullptr;
  last_ = &*--after;
  if (!last_->shadow) last_->shadow = std::make_unique<Shadow>(last_->bytes);
  return last_;
}

}  // namespace lockstep::ptx
