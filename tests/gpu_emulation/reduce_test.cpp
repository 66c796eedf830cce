// The reductions of kernels/cuda/reduce.hpp by themselves: they promise more than today's kernels need.
#include "kernels/cuda/reduce.hpp"

#include "tests/gpu_emulation/planted.hpp"

namespace lockstep::emulation {
namespace {

// The second sum begins as soon as a thread has the first.
__global__ void sum_twice(const float* x, double* sums) {
  const double first = kernels::cuda::block_sum(static_cast<double>(x[threadIdx.x]));
  sums[threadIdx.x] = kernels::cuda::block_sum(first + threadIdx.x);
}

TEST(Reductions, MayFollowEachOtherAtOnceAndGiveEveryThreadTheResult) {
  for (const unsigned threads : {32U, 96U, 1024U}) {
    const double first = 0.5 * threads * (threads + 1);
    const double second = first * threads + 0.5 * threads * (threads - 1);
    expect_right_in_every_order([&] {
      DeviceArray<float> x(one_to(static_cast<int>(threads)));
      DeviceArray<double> sums(std::vector<double>(threads, 0));
      run_grid({1, threads, 0}, [&] { sum_twice(x.data(), sums.data()); });
      return sums.values() == std::vector<double>(threads, second);
    });
  }
}

}  // namespace
}  // namespace lockstep::emulation
