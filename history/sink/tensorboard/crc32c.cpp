#include "history/sink/tensorboard/crc32c.hpp"

#include <array>

namespace lockstep::history::tensorboard {

namespace {
using Table = std::array<std::uint32_t, 256>;

// What each value of a byte does to the remainder. The polynomial 0x1EDC6F41, its lowest bit in front.
constexpr Table make_table() {
  constexpr std::uint32_t polynomial = 0x82F63B78;
  Table table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1U) ^ ((rest & 1U) != 0 ? polynomial : 0);
    table[byte] = rest;
  }
  return table;
}
}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr Table table = make_table();
  std::uint32_t rest = 0xFFFFFFFF;
  for (const char c : bytes) rest = table[(rest ^ static_cast<unsigned char>(c)) & 0xFFU] ^ (rest >> 8U);
  return ~rest;
}

}  // namespace lockstep::history::tensorboard
