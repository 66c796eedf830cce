// Runs CUDA kernels on the CPU for tests: a kernel is a plain function, one fiber runs each CUDA thread of a block, one
// OS thread runs a whole block at a time. What a block does wrong against CUDA's rules ends in KernelError with file,
// line and thread: barriers that some threads miss or meet at different places, warp operations whose mask names a
// lane that is not there, deadlocks, impossible launches. What is only a race or out of bounds is for the sanitizers,
// and for the order of threads, which is chosen here.
//
// What this can't show: anything about speed, weak memory, or what the hardware does that CUDA's rules leave open.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <source_location>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace lockstep::emulation {

struct KernelError : std::runtime_error {
  using runtime_error::runtime_error;
};

enum class Order { ascending, descending, random };  // of the threads that may run next

struct Grid {
  dim3 blocks{1, 1, 1};
  dim3 threads{1, 1, 1};
  std::size_t shared_bytes = 0;  // dynamic
};

// What a launch calls, for somebody who runs another compiler's kernels (tests/ptx): the function's address in this
// program, and the bytes of its arguments, one entry for each parameter.
struct FunctionCall {
  const void* function = nullptr;
  std::vector<std::vector<std::byte>> arguments;
};

// A launch as host code made it. The engine runs `kernel`, which has its arguments with it.
struct KernelCall {
  std::string name;
  Grid grid;
  std::function<void()> kernel;
  FunctionCall call;
};

struct Settings {
  Order order = Order::random;
  std::uint64_t seed = 1;
  unsigned os_threads = 1;                             // blocks run at the same time
  std::size_t stack_bytes = 256 << 10;                 // of each CUDA thread
  std::function<void(const KernelCall&)> run_instead;  // of the engine; empty: the engine runs what streams bring
};
Settings& settings();

// Throws KernelError where no GPU could start such a grid.
void check_grid(const Grid& grid);
// Runs `kernel` once for every thread of the grid, and returns when all have ended. Throws KernelError.
void run_grid(const Grid& grid, const std::function<void()>& kernel);

// Queues the kernel on a stream of the stand-in for the CUDA runtime (runtime/), which runs it when it is waited for.
cudaError_t queue_kernel(cudaStream_t stream, const char* name, const Grid& grid, std::function<void()> kernel,
                         FunctionCall call = {});

template <class T>
std::vector<std::byte> bytes_of(const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  const auto bytes = std::as_bytes(std::span(&value, 1));
  return {bytes.begin(), bytes.end()};
}

// --- what device code calls (emulated_cuda.hpp) ---
using Site = std::source_location;
enum class WarpOperation : std::uint8_t { shuffle, ballot, match, synchronize };

struct ThreadPlace {
  uint3 thread{};
  uint3 block{};
  dim3 block_dim;
  dim3 grid_dim;
  unsigned linear = 0;  // in the block
  unsigned lane = 0;    // in the warp
};
const ThreadPlace& here();

// All threads of the block that have not ended; gives the sum of `value` over them.
int block_barrier(int value, Site site);
// All lanes in `mask`. shuffle: the value of `source_lane`; ballot: who has a value that is not 0; match: who has mine.
std::uint64_t warp_collective(WarpOperation operation, unsigned mask, std::uint64_t value, unsigned source_lane,
                              Site site);
void* dynamic_shared();
// Static shared memory, one copy for every OS thread, is filled with NaN before each block.
void register_shared(void* memory, std::size_t bytes);

}  // namespace lockstep::emulation
