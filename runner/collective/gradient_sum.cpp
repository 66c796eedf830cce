#include "runner/collective/gradient_sum.hpp"

#include <utility>

#include "common/clock.hpp"
#include "common/error.hpp"

namespace lockstep::runner {

GradientSum::GradientSum(DeviceSums* sums, kernels::Stream& stream, std::span<float> gradients, Overlap overlap)
    : sums_(sums),
      stream_(stream),
      gradients_(gradients),
      overlap_(overlap),
      ready_from_(gradients.size()),
      sent_from_(gradients.size()) {}

void GradientSum::ready(std::size_t begin, std::size_t end) {
  if (end != ready_from_ || begin > end) {
    throw failure("the model reported gradients [{}, {}) as ready, but [.., {}) was next", begin, end, ready_from_);
  }
  ready_from_ = begin;
  if (overlap_ == Overlap::off || sums_ == nullptr) return;
  if (sent_from_ - ready_from_ >= bucket_floats) {
    start_bucket(ready_from_, sent_from_);
  } else {
    const double before = monotonic_s();
    sums_->progress();
    times_.blocked_s += monotonic_s() - before;
  }
}

void GradientSum::start_bucket(std::size_t begin, std::size_t end) {
  const double before = monotonic_s();
  if (sent_from_ == gradients_.size()) first_start_s_ = before;
  sums_->start(gradients_.subspan(begin, end - begin), stream_);
  sent_from_ = begin;
  times_.blocked_s += monotonic_s() - before;
}

void GradientSum::finish() {
  if (ready_from_ != 0)
    throw failure("the model left gradients [0, {}) without saying that they are ready", ready_from_);
  if (sums_ != nullptr) {
    while (sent_from_ > 0) start_bucket(sent_from_ > bucket_floats ? sent_from_ - bucket_floats : 0, sent_from_);
    const double waiting = monotonic_s();
    sums_->join(stream_);
    times_.blocked_s += monotonic_s() - waiting;
    times_.in_flight_s += monotonic_s() - first_start_s_;
  }
  ready_from_ = sent_from_ = gradients_.size();
}

GradientSumTimes GradientSum::take_times() { return std::exchange(times_, {}); }

}  // namespace lockstep::runner
