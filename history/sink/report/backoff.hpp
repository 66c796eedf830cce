// How long to wait before the next try: twice as long each time, and never quite as long as others do, so that the
// trainings that a server's outage stopped do not all come back at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

namespace lockstep::history::report {

class Backoff {
 public:
  Backoff(std::int64_t first_ms, std::int64_t longest_ms, unsigned seed)
      : first_ms_(first_ms), longest_ms_(longest_ms), next_ms_(first_ms), random_(seed) {}

  // Between half of the step and all of it; never less than the server asked for, of which ten minutes count.
  std::int64_t next_ms(int retry_after_s = 0) {
    constexpr std::int64_t most_asked_ms = 600'000;
    const std::int64_t wait = std::uniform_int_distribution<std::int64_t>(next_ms_ / 2, next_ms_)(random_);
    next_ms_ = std::min(2 * next_ms_, longest_ms_);
    return std::max(wait, std::min(std::int64_t{1000} * retry_after_s, most_asked_ms));
  }
  void reset() { next_ms_ = first_ms_; }

 private:
  std::int64_t first_ms_;
  std::int64_t longest_ms_;
  std::int64_t next_ms_;
  std::mt19937 random_;
};

}  // namespace lockstep::history::report
