// The threads of one block and who of them may run: the scheduler behind engine.hpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/gpu_emulation/engine/engine.hpp"
#include "tests/gpu_emulation/engine/fiber.hpp"

namespace lockstep::emulation {

enum class ThreadState : std::uint8_t { ready, at_barrier, at_warp_collective, ended };

struct CudaThread {
  ThreadPlace place;
  ThreadState state = ThreadState::ready;
  Fiber* fiber = nullptr;  // none before it first runs and after it ended
  Site site;               // where it waits
  WarpOperation operation{};
  unsigned mask = 0;
  unsigned source_lane = 0;
  std::uint64_t value = 0;
  std::uint64_t result = 0;
};

// What the lanes of a warp wait for, so that an arrival need not look at all of them.
struct Warp {
  unsigned lanes = 0;    // that the block has
  unsigned ended = 0;    // bit masks over lanes
  unsigned waiting = 0;  // at a warp collective
  char synchronize = 0;  // its address stands for the order that __syncwarp makes (TSan)
};

class Block {
 public:
  explicit Block(const std::function<void()>& kernel);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  void run(const Grid& grid, const uint3& index);  // throws KernelError

  int barrier(int value, Site site);
  std::uint64_t collective(WarpOperation operation, unsigned mask, std::uint64_t value, unsigned source_lane,
                           Site site);
  CudaThread& current() { return *current_; }
  void* dynamic_shared() { return dynamic_shared_.get(); }

 private:
  static void fiber_main();
  void make_threads(const Grid& grid, const uint3& index);
  void clear_shared(std::size_t dynamic_bytes);
  void run_current();
  CudaThread* next();
  void make_ready(CudaThread& thread);
  void resume(CudaThread* thread, bool done);  // null: back to run()
  void wait();                                 // until somebody makes the current thread ready
  Fiber* add_fiber();
  Fiber* idle_fiber();
  void release_barrier();
  void check_warp(const CudaThread& thread, const Warp& warp) const;
  void complete_collective(CudaThread* lanes, Warp& warp, unsigned mask);
  [[noreturn]] void fail(const std::string& what) const;
  std::string deadlock_text() const;

  const std::function<void()>& kernel_;
  uint3 index_{};
  std::vector<CudaThread> threads_;
  std::vector<Warp> warps_;
  std::vector<CudaThread*> ready_;
  std::size_t ready_head_ = 0;
  CudaThread* current_ = nullptr;
  unsigned ended_ = 0;
  unsigned at_barrier_ = 0;
  int barrier_sum_ = 0;
  int barrier_result_ = 0;
  unsigned barrier_round_ = 0;
  std::uint64_t random_;
  std::string error_;
  std::unique_ptr<void, void (*)(void*)> dynamic_shared_;

  Fiber main_;
  Fiber* running_ = &main_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> idle_;
  std::vector<Fiber*> retired_;  // TSan only: idle from the next block on

  char start_ = 0;           // addresses that stand for orders (TSan): launch before threads,
  char finish_ = 0;          // threads before the end,
  char barrier_order_[2]{};  // and __syncthreads, in turns
};

}  // namespace lockstep::emulation
