// How far a stream is, for a thread that must not call CUDA: behind each piece of work the stream adds one to a word of
// pinned memory. (A query of an event can wait for a lock of the driver that the very call holds which hangs.)
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/device.hpp"

namespace lockstep::runner {

class StreamMarks {
 public:
  explicit StreamMarks(kernels::Device& device);

  // Behind what the stream has by now. The marks of one object belong to one stream; a recording of it
  // (kernels::Device::record) marks with each of its runs.
  void mark(cudaStream_t stream);

  // How many marks the stream has passed, when it was, or is about to be, given `last` of them. From any thread; no
  // call of CUDA.
  std::int64_t passed(std::int64_t last) const;

 private:
  kernels::Buffer count_;  // a word of the device
  kernels::Buffer seen_;   // and its copy in pinned memory
};

}  // namespace lockstep::runner
