#include "tests/gpu_emulation/engine/block.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "tests/gpu_emulation/engine/sanitizers.hpp"
#include "tests/gpu_emulation/engine/shared_memory.hpp"

namespace lockstep::emulation {

static thread_local Block* running_block = nullptr;
static constexpr unsigned warp_lanes = 32;

// Of this OS thread, kept from one grid to the next: making one costs a system call or two, and TSan's cost more.
static thread_local std::vector<std::unique_ptr<Fiber>> pool;

const ThreadPlace& here() { return running_block->current().place; }
int block_barrier(int value, Site site) { return running_block->barrier(value, site); }
std::uint64_t warp_collective(WarpOperation operation, unsigned mask, std::uint64_t value, unsigned source_lane,
                              Site site) {
  return running_block->collective(operation, mask, value, source_lane, site);
}
void* dynamic_shared() { return running_block->dynamic_shared(); }

Block::Block(const std::function<void()>& kernel)
    : kernel_(kernel), random_((settings().seed + 1) * 0x9E3779B97F4A7C15ULL), dynamic_shared_(nullptr, std::free) {
  // No vector grows while CUDA threads run: TSan would see one thread free what another had read.
  constexpr std::size_t most_threads = 1024;
  threads_.reserve(most_threads);
  warps_.reserve(most_threads / warp_lanes);
  ready_.reserve(std::size_t{1} << 17U);
  for (auto* each : {&idle_, &retired_}) each->reserve(2 * most_threads);
  fibers_ = std::move(pool);
  fibers_.reserve(2 * most_threads);
  for (const auto& each : fibers_) idle_.push_back(each.get());
}
Block::~Block() {
  if (error_.empty()) pool = std::move(fibers_);  // where a block failed, some were left in the middle of a kernel
}

void Block::fail(const std::string& what) const {
  throw KernelError(fmt::format("block ({}, {}, {}): {}", index_.x, index_.y, index_.z, what));
}

static std::string place_of(const CudaThread& thread) {
  return fmt::format("{}:{} thread {} (lane {})", thread.site.file_name(), thread.site.line(), thread.place.linear,
                     thread.place.lane);
}

// --- one block, from its start to its end
// -----------------------------------------------------------------------------

void Block::make_threads(const Grid& grid, const uint3& index) {
  const dim3& dim = grid.threads;
  const unsigned count = dim.x * dim.y * dim.z;
  threads_.assign(count, CudaThread{});
  warps_.assign((count + warp_lanes - 1) / warp_lanes, Warp{});
  ready_.clear();
  ready_head_ = 0;
  for (unsigned i = 0; i < count; ++i) {
    ThreadPlace& place = threads_[i].place;
    place = {{i % dim.x, i / dim.x % dim.y, i / (dim.x * dim.y)}, index, dim, grid.blocks, i, i % warp_lanes};
    warps_[i / warp_lanes].lanes |= 1U << place.lane;
    ready_.push_back(&threads_[i]);
  }
  if (settings().order == Order::descending) std::reverse(ready_.begin(), ready_.end());
}

// NaN in what no thread has written: reading it must not go unseen. An allocation of the exact size, so that ASan sees
// the first byte past it.
void Block::clear_shared(std::size_t dynamic_bytes) {
  dynamic_shared_.reset(dynamic_bytes == 0 ? nullptr : std::malloc(dynamic_bytes));
  if (dynamic_bytes != 0) std::memset(dynamic_shared_.get(), 0xFF, dynamic_bytes);
  fill_static_shared();
}

void Block::run(const Grid& grid, const uint3& index) {
  running_block = this;
  index_ = index;
  idle_.insert(idle_.end(), retired_.begin(), retired_.end());
  retired_.clear();
  ended_ = at_barrier_ = 0;
  barrier_sum_ = 0;
  make_threads(grid, index);
  // TSan must see them made by nobody's CUDA thread, and each serves one.
  while (tsan::is_on && idle_.size() < threads_.size()) idle_.push_back(add_fiber());
  clear_shared(grid.shared_bytes);
  tsan::release(&start_);
  resume(next(), false);
  tsan::acquire(&finish_);
  if (error_.empty() && ended_ != threads_.size()) error_ = deadlock_text();
  if (!error_.empty()) throw KernelError(error_);
}

std::string Block::deadlock_text() const {
  std::string text = fmt::format("block ({}, {}, {}): deadlock: {} threads wait, {} ended", index_.x, index_.y,
                                 index_.z, threads_.size() - ended_, ended_);
  int shown = 0;
  for (const auto& thread : threads_) {
    if (thread.state == ThreadState::ended || shown++ == 3) continue;
    text += fmt::format("; at a {}: {}", thread.state == ThreadState::at_barrier ? "barrier" : "warp operation",
                        place_of(thread));
    if (shown == 3) break;
  }
  return text;
}

// --- who runs
// ---------------------------------------------------------------------------------------------------------

void Block::make_ready(CudaThread& thread) {
  thread.state = ThreadState::ready;
  if (ready_.size() == ready_.capacity()) {
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(ready_head_));
    ready_head_ = 0;
  }
  ready_.push_back(&thread);
}

CudaThread* Block::next() {
  if (ready_head_ == ready_.size()) {
    ready_.clear();
    ready_head_ = 0;
    return nullptr;
  }
  if (settings().order == Order::random) {
    random_ ^= random_ << 13U;
    random_ ^= random_ >> 7U;
    random_ ^= random_ << 17U;
    std::swap(ready_[ready_head_], ready_[ready_head_ + random_ % (ready_.size() - ready_head_)]);
  }
  return ready_[ready_head_++];
}

Fiber* Block::add_fiber() {
  fibers_.push_back(std::make_unique<Fiber>(settings().stack_bytes, &Block::fiber_main));
  return fibers_.back().get();
}

Fiber* Block::idle_fiber() {
  if (idle_.empty()) return add_fiber();
  Fiber* fiber = idle_.back();
  idle_.pop_back();
  fiber->restart();
  return fiber;
}

void Block::resume(CudaThread* thread, bool done) {
  current_ = thread;
  Fiber* to = &main_;
  if (thread != nullptr) {
    if (thread->fiber == nullptr) thread->fiber = idle_fiber();
    to = thread->fiber;
  }
  Fiber* from = std::exchange(running_, to);
  Fiber::step(*from, *to, done);
}

void Block::wait() {
  tsan::release(&finish_);  // it may be the last that is heard of this thread
  CudaThread* other = next();
  if (other != current_) resume(other, false);
}

void Block::run_current() {
  CudaThread& thread = *current_;
  tsan::acquire(&start_);
  try {
    kernel_();
  } catch (const std::exception& error) {
    error_ = error.what();
  }
  tsan::release(&finish_);
  thread.state = ThreadState::ended;
  thread.fiber = nullptr;
  ++ended_;
  warps_[thread.place.linear / warp_lanes].ended |= 1U << thread.place.lane;
  try {
    if (error_.empty() && at_barrier_ != 0 && at_barrier_ + ended_ == threads_.size()) release_barrier();
  } catch (const KernelError& error) {
    error_ = error.what();
  }
}

void Block::fiber_main() {
  Fiber::begun();
  for (;;) {
    Block& block = *running_block;
    Fiber* mine = block.running_;
    block.current_->fiber = mine;
    block.run_current();
    CudaThread* other = block.error_.empty() ? block.next() : nullptr;
    if (!tsan::is_on && other != nullptr && other->fiber == nullptr) {
      block.current_ = other;  // goes on on this stack, without a switch
      continue;
    }
    // With TSan a fiber serves one thread of a block: a second one would come after the first in TSan's eyes.
    (tsan::is_on ? block.retired_ : block.idle_).push_back(mine);
    block.resume(other, true);
  }
}

// --- where threads meet
// -----------------------------------------------------------------------------------------------

void Block::release_barrier() {
  barrier_result_ = std::exchange(barrier_sum_, 0);
  at_barrier_ = 0;
  ++barrier_round_;
  const CudaThread* first = nullptr;
  for (auto& thread : threads_) {
    if (thread.state != ThreadState::at_barrier) continue;
    if (first == nullptr) first = &thread;
    if (first->site.line() != thread.site.line() ||
        std::strcmp(first->site.file_name(), thread.site.file_name()) != 0) {
      fail(fmt::format("divergent __syncthreads: {} and {}", place_of(*first), place_of(thread)));
    }
    make_ready(thread);
  }
}

int Block::barrier(int value, Site site) {
  char* order = &barrier_order_[barrier_round_ % 2];
  tsan::release(order);
  current_->site = site;
  current_->state = ThreadState::at_barrier;
  barrier_sum_ += value;
  ++at_barrier_;
  if (at_barrier_ + ended_ == threads_.size()) release_barrier();
  wait();
  tsan::acquire(order);
  return barrier_result_;
}

void Block::check_warp(const CudaThread& thread, const Warp& warp) const {
  const unsigned mask = thread.mask;
  if ((mask & (1U << thread.place.lane)) == 0) fail("the calling lane is not in the mask: " + place_of(thread));
  const auto lowest = [](unsigned bits) { return __builtin_ctz(bits); };
  if (const unsigned absent = mask & ~warp.lanes; absent != 0) {
    fail(fmt::format("the mask names lane {}, which the block does not have: {}", lowest(absent), place_of(thread)));
  }
  if (const unsigned gone = mask & warp.ended; gone != 0) {
    fail(fmt::format("the mask names lane {}, which has ended: {}", lowest(gone), place_of(thread)));
  }
  const unsigned met = mask & warp.waiting;
  if (met == 0) return;
  const CudaThread& other = threads_[thread.place.linear - thread.place.lane + static_cast<unsigned>(lowest(met))];
  if (other.mask != mask || other.operation != thread.operation) {
    fail(fmt::format("lanes of one warp meet in different operations: {} and {}", place_of(thread), place_of(other)));
  }
}

static std::uint64_t collective_result(const CudaThread* lanes, const CudaThread& mine) {
  std::uint64_t result = 0;
  for (unsigned lane = 0; lane < warp_lanes; ++lane) {
    if ((mine.mask & (1U << lane)) == 0) continue;
    const bool counts =
        mine.operation == WarpOperation::match ? lanes[lane].value == mine.value : lanes[lane].value != 0;
    if (counts) result |= std::uint64_t{1} << lane;
  }
  return result;
}

void Block::complete_collective(CudaThread* lanes, Warp& warp, unsigned mask) {
  warp.waiting &= ~mask;
  std::uint64_t ballot = 0;  // the same for all
  bool have_ballot = false;
  for (unsigned lane = 0; lane < warp_lanes; ++lane) {
    if ((mask & (1U << lane)) == 0) continue;
    CudaThread& mine = lanes[lane];
    switch (mine.operation) {
      case WarpOperation::shuffle:
        if ((mask & (1U << mine.source_lane)) == 0) {
          fail(fmt::format("a shuffle reads lane {}, which is not in the mask: {}", mine.source_lane, place_of(mine)));
        }
        mine.result = lanes[mine.source_lane].value;
        break;
      case WarpOperation::ballot:
        if (!std::exchange(have_ballot, true)) ballot = collective_result(lanes, mine);
        mine.result = ballot;
        break;
      case WarpOperation::match:
        mine.result = collective_result(lanes, mine);
        break;
      case WarpOperation::synchronize:
        break;
    }
    make_ready(mine);
  }
}

std::uint64_t Block::collective(WarpOperation operation, unsigned mask, std::uint64_t value, unsigned source_lane,
                                Site site) {
  CudaThread& me = *current_;
  Warp& warp = warps_[me.place.linear / warp_lanes];
  me.site = site;
  me.operation = operation;
  me.mask = mask;
  me.value = value;
  me.source_lane = source_lane;
  check_warp(me, warp);
  // CUDA orders memory at __syncwarp alone; a shuffle gives values and promises nothing about other memory.
  const bool orders = operation == WarpOperation::synchronize;
  if (orders) tsan::release(&warp.synchronize);
  me.state = ThreadState::at_warp_collective;
  warp.waiting |= 1U << me.place.lane;
  if ((warp.waiting & mask) == mask) complete_collective(&me - me.place.lane, warp, mask);
  wait();
  if (orders) tsan::acquire(&warp.synchronize);
  return me.result;
}

}  // namespace lockstep::emulation
