// bfloat16: the upper half of a float32. It is stored, never computed in. Conversions are integer arithmetic, so that
// every back-end gives the same bits.
#pragma once

#include <bit>
#include <cstdint>

namespace lockstep::kernels {

struct Bf16 {
  std::uint16_t bits;
};

// To the nearest, ties to even; what is too large becomes infinity, a NaN stays one (quiet, its upper bits kept).
constexpr Bf16 to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return {static_cast<std::uint16_t>((bits >> 16U) | 0x40U)};
  return {static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U)};
}

constexpr float to_f32(Bf16 value) { return std::bit_cast<float>(std::uint32_t{value.bits} << 16U); }

}  // namespace lockstep::kernels
