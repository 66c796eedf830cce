#include "kernels/initialize.hpp"

#include <cmath>

#include "kernels/philox.hpp"

namespace lockstep::kernels {

// Square roots are correctly rounded everywhere, which is why there is no other function here.
float he_bound(std::int64_t fan_in) { return static_cast<float>(std::sqrt(6.0 / static_cast<double>(fan_in))); }

float glorot_bound(std::int64_t fan_in, std::int64_t fan_out) {
  return static_cast<float>(std::sqrt(6.0 / static_cast<double>(fan_in + fan_out)));
}

void fill_uniform(std::span<float> values, float bound, std::uint64_t seed, std::uint32_t tensor) {
  const PhiloxKey key = philox_key(seed, RandomPurpose::initial_weights);
  for (std::size_t i = 0; i < values.size(); i += 4) {
    const std::uint64_t block = i / 4;
    const PhiloxCounter words =
        philox4x32({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32U), tensor, 0}, key);
    for (std::size_t lane = 0; lane < 4 && i + lane < values.size(); ++lane) {
      values[i + lane] = (2 * unit_interval(words[lane]) - 1) * bound;
    }
  }
}

}  // namespace lockstep::kernels
