// How often a stream came by.
#pragma once

#include <cstdint>

#include "kernels/cuda/device.hpp"

namespace lockstep::kernels::cuda {

// In the order of the stream: adds 1 to *counter (device memory) and writes the result to *seen (device memory, or
// pinned memory of the host). What goes before it on the stream is done when *seen has changed.
void count_up(std::uint32_t* counter, std::uint32_t* seen, cudaStream_t stream);

}  // namespace lockstep::kernels::cuda
