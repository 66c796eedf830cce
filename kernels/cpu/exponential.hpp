// The exponential function of our own loops, and what a softmax does with a row.
#pragma once

#include <cstdint>
#include <cstring>

namespace lockstep::kernels::cpu {

// e^x for x up to 80, within 2 units in the last place for x <= 0; 0 below -87: Cephes' expf (Moshier) without its
// branches, so that it vectorises. NaN stays NaN.
inline float exp_of_non_positive(float x) {
  constexpr float to_integer = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  const float bounded = x < -87.0F ? -87.0F : x;
  const float shifted = bounded * 1.44269504F + to_integer;
  const float n = shifted - to_integer;
  const float r = (bounded - n * 0.693359375F) - n * -2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  std::int32_t bits = 0;
  std::memcpy(&bits, &shifted, sizeof bits);
  const std::int32_t exponent = static_cast<std::int32_t>(static_cast<std::uint32_t>(bits) << 23U) + 0x3F800000;
  float power = 0;
  std::memcpy(&power, &exponent, sizeof power);
  return x < -87.0F ? 0.0F : p * power;
}

float row_maximum(const float* x, std::int64_t count);

// e[i] = exp(x[i] - maximum); returns their sum. e may be x.
double exponentials(const float* x, float maximum, float* e, std::int64_t count);

}  // namespace lockstep::kernels::cpu
