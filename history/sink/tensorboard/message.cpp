#include "history/sink/tensorboard/message.hpp"

#include <bit>

namespace lockstep::history::tensorboard {

namespace {
enum WireType : unsigned { varint_type = 0, eight_bytes = 1, with_length = 2, four_bytes = 5 };
}

void append_little_endian(std::string& bytes, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i, value >>= 8U) bytes += static_cast<char>(value & 0xFFU);
}

void Message::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>((value & 0x7FU) | 0x80U);
  bytes_ += static_cast<char>(value);
}

void Message::tag(int field, unsigned wire_type) { varint((static_cast<std::uint64_t>(field) << 3U) | wire_type); }

Message& Message::integer(int field, std::int64_t value) {
  tag(field, varint_type);
  varint(static_cast<std::uint64_t>(value));
  return *this;
}

Message& Message::real(int field, double value) {
  tag(field, eight_bytes);
  append_little_endian(bytes_, std::bit_cast<std::uint64_t>(value), 8);
  return *this;
}

Message& Message::real32(int field, float value) {
  tag(field, four_bytes);
  append_little_endian(bytes_, std::bit_cast<std::uint32_t>(value), 4);
  return *this;
}

Message& Message::text(int field, std::string_view value) {
  tag(field, with_length);
  varint(value.size());
  bytes_ += value;
  return *this;
}

}  // namespace lockstep::history::tensorboard
