// Philox4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011): a pure function from (counter, key) to four 32-bit words, the same on every machine and device.
#pragma once

#include <array>
#include <cstdint>

namespace lockstep::kernels {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

constexpr PhiloxCounter philox4x32(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53U} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57U} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32U) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32U) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key = {key[0] + 0x9E3779B9U, key[1] + 0xBB67AE85U};
  }
  return counter;
}

// What a stream of numbers is for: the same seed gives unrelated numbers for each purpose.
enum class RandomPurpose : std::uint32_t { dropout = 1, initial_weights = 2, data_order = 3, augmentation = 4 };

constexpr PhiloxKey philox_key(std::uint64_t seed, RandomPurpose purpose) {
  return {static_cast<std::uint32_t>(seed),
          static_cast<std::uint32_t>(seed >> 32U) ^ (static_cast<std::uint32_t>(purpose) * 0x85EBCA6BU)};
}

// [0, 1) in steps of 2^-24: exact in a float.
constexpr float unit_interval(std::uint32_t word) { return static_cast<float>(word >> 8U) * 0x1p-24F; }

}  // namespace lockstep::kernels
