// The sum of the gradients over ranks, in buckets: during the backward pass (overlapped), or after it (simple).
// One step is: began backward -> ready(...) ... -> finish().
#pragma once

#include <cstdint>
#include <span>

#include "runner/collective/device_sums.hpp"

namespace lockstep::runner {

// Gradients per bucket: 1 MiB. Smaller ones cost more calls than they hide; larger ones leave a small model's gradients
// waiting for its first layer, so that nothing overlaps (docs/train-options.md has figures).
inline constexpr std::size_t bucket_floats = std::size_t{1} << 18;

// Seconds of the host, summed since the last take_times(). Where sums are queued on a device it only gives them away.
struct GradientSumTimes {
  double blocked_s = 0;    // spent in collective calls
  double in_flight_s = 0;  // from the first bucket's start to the last one's end
  // The share of the communication's time that computing went on in. 0 when nothing was in flight.
  double overlap() const { return in_flight_s > 0 ? 1 - blocked_s / in_flight_s : 0; }
};

class GradientSum {
 public:
  // `sums` is null when there is one rank. Gradients are device memory that work of `stream` writes.
  GradientSum(DeviceSums* sums, kernels::Stream& stream, std::span<float> gradients, Overlap overlap);

  // The work that makes gradients[begin, end) final is queued. Ranges come from the end to the beginning without gaps;
  // throws failure otherwise.
  void ready(std::size_t begin, std::size_t end);
  // What the stream is given afterwards finds the sums over the ranks in the gradients. Throws failure if some were
  // never ready.
  void finish();

  GradientSumTimes take_times();

 private:
  void start_bucket(std::size_t begin, std::size_t end);

  DeviceSums* sums_;
  kernels::Stream& stream_;
  std::span<float> gradients_;
  Overlap overlap_;
  std::size_t ready_from_;  // gradients_[ready_from_, size) are final
  std::size_t sent_from_;   // gradients_[sent_from_, size) are in flight
  double first_start_s_ = 0;
  GradientSumTimes times_;
};

}  // namespace lockstep::runner
