// What TensorBoard would see in an event file: records and protobuf read from their descriptions, without the code
// under test. The checksum is the long division itself, bit by bit.
#pragma once

#include <bit>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::testing {

inline std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[i]);
  return value;
}

inline std::uint32_t slow_masked_crc(std::string_view bytes) {
  std::uint32_t rest = 0xFFFFFFFF;
  for (const char c : bytes) {
    rest ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) rest = (rest & 1U) != 0 ? (rest >> 1U) ^ 0x82F63B78U : rest >> 1U;
  }
  rest = ~rest;
  return (rest >> 15U | rest << 17U) + 0xA282EAD8U;
}

// The payloads of the whole records. Throws when a checksum is wrong; what is cut at the end is left alone.
inline std::vector<std::string> payloads_of(std::string_view bytes) {
  std::vector<std::string> payloads;
  while (bytes.size() >= 12) {
    const std::uint64_t length = little_endian(bytes.substr(0, 8));
    if (little_endian(bytes.substr(8, 4)) != slow_masked_crc(bytes.substr(0, 8))) throw std::runtime_error("length");
    if (bytes.size() < 12 + length + 4) break;
    const std::string_view payload = bytes.substr(12, length);
    if (little_endian(bytes.substr(12 + length, 4)) != slow_masked_crc(payload)) throw std::runtime_error("payload");
    payloads.emplace_back(payload);
    bytes.remove_prefix(12 + length + 4);
  }
  return payloads;
}

// A message as its fields, each with all its values in their order: numbers as their bits, the rest as bytes.
struct Fields {
  std::map<int, std::vector<std::uint64_t>> numbers;
  std::map<int, std::vector<std::string>> texts;

  double real(int field) const { return std::bit_cast<double>(numbers.at(field).at(0)); }
  float real32(int field) const { return std::bit_cast<float>(static_cast<std::uint32_t>(numbers.at(field).at(0))); }
  std::int64_t integer(int field) const { return static_cast<std::int64_t>(numbers.at(field).at(0)); }
};

inline std::uint64_t take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (bytes.empty()) break;
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) return value;
  }
  throw std::runtime_error("varint");
}

inline Fields fields_of(std::string_view bytes) {
  Fields fields;
  const auto take = [&bytes](std::uint64_t size) {
    if (size > bytes.size()) throw std::runtime_error("cut");
    const std::string_view taken = bytes.substr(0, size);
    bytes.remove_prefix(size);
    return taken;
  };
  while (!bytes.empty()) {
    const std::uint64_t tag = take_varint(bytes);
    const int field = static_cast<int>(tag >> 3U);
    switch (tag & 7U) {
      case 0:
        fields.numbers[field].push_back(take_varint(bytes));
        break;
      case 1:
        fields.numbers[field].push_back(little_endian(take(8)));
        break;
      case 2:
        fields.texts[field].emplace_back(take(take_varint(bytes)));
        break;
      case 5:
        fields.numbers[field].push_back(little_endian(take(4)));
        break;
      default:
        throw std::runtime_error("wire type");
    }
  }
  return fields;
}

}  // namespace lockstep::testing
