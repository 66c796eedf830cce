#include "common/uuid.hpp"

#include <fmt/format.h>

#include "common/clock.hpp"
#include "common/digest.hpp"

namespace lockstep {

std::string ordered_uuid(std::int64_t unix_ms, std::string_view random) {
  std::string id = fmt::format("{:012x}{}", unix_ms & 0xFFFF'FFFF'FFFF, random);
  const auto set_bits = [&id](std::size_t digit, int kept, int bits) {
    const int value = std::stoi(id.substr(digit, 1), nullptr, 16);
    id[digit] = "0123456789abcdef"[(value & kept) | bits];
  };
  set_bits(12, 0, 7);          // version
  set_bits(16, 0b11, 0b1000);  // variant
  return id;
}

std::string ordered_uuid() { return ordered_uuid(now_ms(), random_hex(20)); }

}  // namespace lockstep
