// What make_nccl_sums must do, for ranks that are threads or processes: gradients that kernels write, bucket by bucket,
// are added up while the next bucket is computed. Integers in floats, so that no order of a sum rounds.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <vector>

#include "kernels/cuda/device.hpp"
#include "kernels/cuda/launch.hpp"
#include "runner/collective/collective.hpp"
#include "runner/collective/sharded_sums.hpp"

namespace lockstep::testing {

// Gradients are below `most`; four ranks' sums of small ones are whole in bfloat16, too.
constexpr unsigned large = 4096;
constexpr unsigned small = 64;

inline float gradient(unsigned i, int rank, int step, unsigned most) {
  return static_cast<float>((i * 7 + static_cast<unsigned>(rank) * 13 + static_cast<unsigned>(step) * 5) % most);
}
inline float sum_of_gradients(unsigned i, int ranks, int step, unsigned most = large) {
  float sum = 0;
  for (int rank = 0; rank < ranks; ++rank) sum += gradient(i, rank, step, most);
  return sum;
}

// gradients[begin, end) of a rank.
inline __global__ void write_gradients(float* gradients, unsigned begin, unsigned end, int rank, int step,
                                       unsigned most) {
  const unsigned i = begin + blockIdx.x * blockDim.x + threadIdx.x;
  if (i < end) gradients[i] = gradient(i, rank, step, most);
}
// to += factor * from
inline __global__ void add_to(float* to, const float* from, float factor, unsigned count) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) to[i] += factor * from[i];
}

template <class... Parameters, class... Arguments>
void launch_over(std::size_t count, kernels::Stream& stream, void (*kernel)(Parameters...), Arguments... arguments) {
  constexpr unsigned threads = 128;
  const auto blocks = static_cast<unsigned>((count + threads - 1) / threads);
  kernels::cuda::launch({"test", blocks, threads, 0, kernels::cuda::of(stream)}, kernel, arguments...);
}

inline std::vector<float> on_host(kernels::Device& device, kernels::Stream& stream, const kernels::Buffer& buffer) {
  std::vector<float> values(buffer.bytes() / sizeof(float));
  device.copy(values.data(), buffer.data(), buffer.bytes(), stream);
  stream.synchronize();
  return values;
}

template <class Want>
void expect_exactly(const std::vector<float>& got, Want want) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!(got[i] == want(static_cast<unsigned>(i)))) {
      throw std::runtime_error(
          fmt::format("element {} is {} instead of {}", i, got[i], want(static_cast<unsigned>(i))));
    }
  }
}

// A training's steps: the sum of each bucket starts while the next one is computed; then parameters += sums.
inline void check_buckets(runner::Collective& ranks, kernels::Device& device, runner::DeviceSums& sums, int steps = 3,
                          unsigned most = large) {
  constexpr unsigned bucket = 5000;
  constexpr unsigned count = 5 * bucket - 77;
  const auto stream = device.make_stream();
  const kernels::Buffer gradients = device.allocate(count * sizeof(float));
  const kernels::Buffer parameters = device.allocate(count * sizeof(float));
  auto* values = gradients.as<float>().data();
  for (int step = 0; step < steps; ++step) {
    for (unsigned end = count; end > 0;) {
      const unsigned begin = end > bucket ? end - bucket : 0;
      launch_over(end - begin, *stream, write_gradients, values, begin, end, ranks.rank(), step, most);
      sums.start(gradients.as<float>().subspan(begin, end - begin), *stream);
      end = begin;
    }
    sums.join(*stream);
    launch_over(count, *stream, add_to, parameters.as<float>().data(), values, 1.0F, count);
  }
  if (sums.started() != 5 * steps) throw std::runtime_error(fmt::format("{} sums were started", sums.started()));
  expect_exactly(on_host(device, *stream, parameters), [&](unsigned i) {
    float want = 0;
    for (int step = 0; step < steps; ++step) want += sum_of_gradients(i, ranks.size(), step, most);
    return want;
  });
}

// An optimizer whose state is spread over the ranks: each doubles the sums of its part, then all have all parts.
inline void check_parts(runner::Collective& ranks, kernels::Device& device, runner::ShardedSums& sums,
                        unsigned most = large) {
  constexpr unsigned part = 20'000;
  const unsigned count = part * static_cast<unsigned>(ranks.size());
  const auto stream = device.make_stream();
  const kernels::Buffer buffer = device.allocate(count * sizeof(float));
  const auto values = buffer.as<float>();
  const auto mine = values.subspan(part * static_cast<std::size_t>(ranks.rank()), part);
  for (int step = 0; step < 2; ++step) {
    launch_over(count, *stream, write_gradients, values.data(), 0U, count, ranks.rank(), step, most);
    sums.start_reduce_scatter(values, *stream);
    sums.join(*stream);
    launch_over(part, *stream, add_to, mine.data(), mine.data(), 1.0F, part);
    sums.start_all_gather(values, *stream);
    sums.join(*stream);
    expect_exactly(on_host(device, *stream, buffer),
                   [&](unsigned i) { return 2 * sum_of_gradients(i, ranks.size(), step, most); });
  }
}

}  // namespace lockstep::testing
