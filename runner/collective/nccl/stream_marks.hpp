// How far a stream is, for a thread that must not call CUDA: behind each piece of work the stream copies the work's
// number into a word of pinned memory. (A query of an event can wait for a lock of the driver that the very call holds
// which hangs.)
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/device.hpp"

namespace lockstep::runner {

class StreamMarks {
 public:
  explicit StreamMarks(kernels::Device& device);
  StreamMarks(const StreamMarks&) = delete;
  StreamMarks& operator=(const StreamMarks&) = delete;
  ~StreamMarks();

  // Behind what the stream has by now. Numbers count up from 1. Throws failure when too many are not done.
  void mark(std::int64_t number, cudaStream_t stream);

  // The last number that the stream has passed, when `last` is the last that was, or is about to be, marked.
  // From any thread; no call of CUDA.
  std::int64_t passed(std::int64_t last) const;

 private:
  static constexpr std::int64_t ring = 1 << 16;  // numbers are told apart modulo this: far more than a GPU queues

  kernels::Buffer numbers_;        // 0, 1, ... ring - 1, on the device
  std::uint32_t* word_ = nullptr;  // pinned
};

}  // namespace lockstep::runner
