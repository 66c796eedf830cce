#include <fmt/format.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/gpu_emulation/engine/block.hpp"
#include "tests/gpu_emulation/engine/shared_memory.hpp"

namespace lockstep::emulation {

Settings& settings() {
  static Settings all;
  return all;
}

// --- static shared memory ---
static thread_local std::vector<std::pair<void*, std::size_t>> shared_arrays;

void register_shared(void* memory, std::size_t bytes) {
  shared_arrays.reserve(1024);  // once: it must not grow while CUDA threads run
  shared_arrays.emplace_back(memory, bytes);
  std::memset(memory, 0xFF, bytes);
}
void fill_static_shared() {
  for (const auto& [memory, bytes] : shared_arrays) std::memset(memory, 0xFF, bytes);
}

// --- grids ---
void check_grid(const Grid& grid) {  // limits of compute capability 7.5 to 12.0
  const auto count = std::size_t{grid.threads.x} * grid.threads.y * grid.threads.z;
  const auto blocks = std::size_t{grid.blocks.x} * grid.blocks.y * grid.blocks.z;
  if (count == 0 || count > 1024 || grid.threads.z > 64) {
    throw KernelError(
        fmt::format("no block can have {} x {} x {} threads", grid.threads.x, grid.threads.y, grid.threads.z));
  }
  if (blocks == 0 || grid.blocks.x > 0x7FFFFFFF || grid.blocks.y > 65535 || grid.blocks.z > 65535) {
    throw KernelError(fmt::format("no grid can have {} x {} x {} blocks", grid.blocks.x, grid.blocks.y, grid.blocks.z));
  }
  if (grid.shared_bytes > settings().most_shared_bytes) {
    throw KernelError(fmt::format("{} bytes of dynamic shared memory: a block can have {}", grid.shared_bytes,
                                  settings().most_shared_bytes));
  }
}

void run_grid(const Grid& grid, const std::function<void()>& kernel) {
  check_grid(grid);
  const auto total = std::size_t{grid.blocks.x} * grid.blocks.y * grid.blocks.z;
  // Relaxed: taking a block must not put it behind all blocks that were done before, or TSan would see no race of
  // theirs.
  constexpr auto relaxed = std::memory_order_relaxed;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::string error;
  std::mutex error_mutex;
  const auto work = [&] {
    Block block(kernel);
    for (std::size_t i = 0; !failed.load(relaxed) && (i = next.fetch_add(1, relaxed)) < total;) {
      const std::size_t at = settings().order == Order::descending ? total - 1 - i : i;
      const uint3 index{static_cast<unsigned>(at % grid.blocks.x),
                        static_cast<unsigned>(at / grid.blocks.x % grid.blocks.y),
                        static_cast<unsigned>(at / (std::size_t{grid.blocks.x} * grid.blocks.y))};
      try {
        block.run(grid, index);
      } catch (const KernelError& what) {
        const std::lock_guard lock(error_mutex);
        error = what.what();
        failed.store(true, relaxed);
      }
    }
  };
  if (settings().os_threads <= 1) {
    work();
  } else {
    std::vector<std::thread> workers;
    for (unsigned i = 0; i < settings().os_threads; ++i) workers.emplace_back(work);
    for (auto& each : workers) each.join();
  }
  if (failed) throw KernelError(error);
}

}  // namespace lockstep::emulation
