#include "runner/collective/nccl/stream_marks.hpp"

#include <atomic>
#include <numeric>
#include <vector>

#include "common/error.hpp"
#include "kernels/cuda/check.hpp"

namespace lockstep::runner {

StreamMarks::StreamMarks(kernels::Device& device) {
  std::vector<std::uint32_t> numbers(ring);
  std::iota(numbers.begin(), numbers.end(), 0U);
  numbers_ = device.allocate(numbers.size() * sizeof(std::uint32_t));
  const auto stream = device.make_stream();
  device.copy(numbers_.data(), numbers.data(), numbers_.bytes(), *stream);
  stream->synchronize();
  void* memory = nullptr;
  kernels::cuda::check(cudaMallocHost(&memory, sizeof(std::uint32_t)), "allocating pinned memory");
  word_ = new (memory) std::uint32_t{0};
}

StreamMarks::~StreamMarks() { cudaFreeHost(word_); }

void StreamMarks::mark(std::int64_t number, cudaStream_t stream) {
  if (number - passed(number) >= ring - 1) throw failure("{} collectives are under way", ring);
  const auto* from = numbers_.as<std::uint32_t>().data() + number % ring;
  kernels::cuda::check(cudaMemcpyAsync(word_, from, sizeof *word_, cudaMemcpyDeviceToHost, stream),
                       "marking how far a stream is");
}

std::int64_t StreamMarks::passed(std::int64_t last) const {
  const std::int64_t seen = std::atomic_ref(*word_).load(std::memory_order_acquire);
  return last - (last - seen) % ring;
}

}  // namespace lockstep::runner
