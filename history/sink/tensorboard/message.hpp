// A protobuf message that is being written: the wire format of what TensorBoard reads, and nothing else of protobuf
// (protobuf.dev/programming-guides/encoding). Fields stand in the order in which they are added.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lockstep::history::tensorboard {

void append_little_endian(std::string& bytes, std::uint64_t value, int size);

class Message {
 public:
  Message& integer(int field, std::int64_t value);  // int64, int32, enum, bool
  Message& real(int field, double value);
  Message& real32(int field, float value);
  Message& text(int field, std::string_view value);  // string, bytes
  Message& message(int field, const Message& value) { return text(field, value.bytes_); }

  const std::string& bytes() const { return bytes_; }

 private:
  void varint(std::uint64_t value);
  void tag(int field, unsigned wire_type);
  std::string bytes_;
};

}  // namespace lockstep::history::tensorboard
