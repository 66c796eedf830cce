#include "runner/collective/nccl/stream_marks.hpp"

#include <atomic>

#include "kernels/cuda/count_up.hpp"

namespace lockstep::runner {

StreamMarks::StreamMarks(kernels::Device& device)
    : count_(device.allocate(sizeof(std::uint32_t))), seen_(device.allocate_host(sizeof(std::uint32_t))) {}

void StreamMarks::mark(cudaStream_t stream) {
  kernels::cuda::count_up(count_.as<std::uint32_t>().data(), seen_.as<std::uint32_t>().data(), stream);
}

// The word counts modulo 2^32, and a stream never has as many marks before it.
std::int64_t StreamMarks::passed(std::int64_t last) const {
  const std::uint32_t seen = std::atomic_ref(seen_.as<std::uint32_t>().front()).load(std::memory_order_acquire);
  return last - static_cast<std::uint32_t>(static_cast<std::uint32_t>(last) - seen);
}

}  // namespace lockstep::runner
