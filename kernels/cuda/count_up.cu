// One thread. Traffic: three words in three sectors, 96 bytes.
#include "kernels/cuda/count_up.hpp"

#include "kernels/cuda/launch.hpp"

namespace lockstep::kernels::cuda {
namespace {

__global__ void count(std::uint32_t* counter, std::uint32_t* seen) {
  const std::uint32_t next = *counter + 1;
  *counter = next;
  *seen = next;
}

}  // namespace

void count_up(std::uint32_t* counter, std::uint32_t* seen, cudaStream_t stream) {
  launch(Launch{"count", dim3(1), dim3(1), 0, stream}, count, counter, seen);
}

}  // namespace lockstep::kernels::cuda
