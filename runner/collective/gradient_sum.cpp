#include "runner/collective/gradient_sum.hpp"

#include <chrono>
#include <utility>

#include "common/error.hpp"

namespace lockstep::runner {

static double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

GradientSum::GradientSum(Collective& collective, std::span<float> gradients, Overlap overlap)
    : collective_(collective),
      gradients_(gradients),
      overlap_(overlap),
      ready_from_(gradients.size()),
      sent_from_(gradients.size()) {}

void GradientSum::ready(std::size_t begin, std::size_t end) {
  if (end != ready_from_ || begin > end) {
    throw failure("the model reported gradients [{}, {}) as ready, but [.., {}) was next", begin, end, ready_from_);
  }
  ready_from_ = begin;
  if (overlap_ == Overlap::off || collective_.size() == 1) return;
  if (sent_from_ - ready_from_ >= bucket_floats) {
    start_bucket(ready_from_, sent_from_);
  } else {
    const double before = seconds_now();
    collective_.progress();
    times_.blocked_s += seconds_now() - before;
  }
}

void GradientSum::start_bucket(std::size_t begin, std::size_t end) {
  const double before = seconds_now();
  if (sent_from_ == gradients_.size()) first_start_s_ = before;
  collective_.start_sum(gradients_.subspan(begin, end - begin));
  sent_from_ = begin;
  times_.blocked_s += seconds_now() - before;
}

void GradientSum::finish() {
  if (ready_from_ != 0)
    throw failure("the model left gradients [0, {}) without saying that they are ready", ready_from_);
  const double before = seconds_now();
  if (collective_.size() == 1) {
    // Nothing to add.
  } else if (overlap_ == Overlap::on) {
    if (sent_from_ > 0) start_bucket(0, sent_from_);
    const double waiting = seconds_now();
    collective_.wait_sums();
    times_.blocked_s += seconds_now() - waiting;
    times_.in_flight_s += seconds_now() - first_start_s_;
  } else {
    for (std::size_t end = gradients_.size(); end > 0;) {
      const std::size_t begin = end > bucket_floats ? end - bucket_floats : 0;
      collective_.sum(gradients_.subspan(begin, end - begin));
      end = begin;
    }
    times_.blocked_s += seconds_now() - before;
    times_.in_flight_s += seconds_now() - before;
  }
  ready_from_ = sent_from_ = gradients_.size();
}

GradientSumTimes GradientSum::take_times() { return std::exchange(times_, {}); }

}  // namespace lockstep::runner
