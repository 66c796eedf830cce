#include "kernels/cpu/exponential.hpp"

#include <limits>

#include "kernels/cpu/loops.hpp"

namespace lockstep::kernels::cpu {

LOCKSTEP_VECTOR_CLONES float row_maximum(const float* x, std::int64_t count) {
  float lanes[kLanes];
  for (float& lane : lanes) lane = -std::numeric_limits<float>::infinity();
  std::int64_t i = 0;
  for (; i + static_cast<std::int64_t>(kLanes) <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] = x[i + lane] > lanes[lane] ? x[i + lane] : lanes[lane];
  }
  for (; i < count; ++i) lanes[0] = x[i] > lanes[0] ? x[i] : lanes[0];
  float maximum = lanes[0];
  for (const float lane : lanes) maximum = lane > maximum ? lane : maximum;
  return maximum;
}

LOCKSTEP_VECTOR_CLONES double exponentials(const float* x, float maximum, float* e, std::int64_t count) {
  double lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + static_cast<std::int64_t>(kLanes) <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float value = exp_of_non_positive(x[i + lane] - maximum);
      e[i + lane] = value;
      lanes[lane] += static_cast<double>(value);
    }
  }
  for (std::size_t lane = 0; i < count; ++i, ++lane) {
    e[i] = exp_of_non_positive(x[i] - maximum);
    lanes[lane] += static_cast<double>(e[i]);
  }
  return sum_of_lanes(lanes);
}

}  // namespace lockstep::kernels::cpu
