#include "launcher/node/frames.hpp"

#include <cstdint>

#include "common/error.hpp"

namespace lockstep::node {

namespace {
constexpr std::size_t length_bytes = 4;
constexpr char end_of_frame = '\n';
constexpr std::size_t longest_prologue = std::size_t{64} << 10;

void put_length(std::string& bytes, std::size_t length) {
  for (unsigned shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>((length >> shift) & 0xff));
}

std::size_t length_at(std::string_view bytes, std::size_t at) {
  std::size_t length = 0;
  for (unsigned i = 0; i < length_bytes; ++i) {
    length |= std::size_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  return length;
}
}  // namespace

std::string encode(const Frame& frame) {
  const std::string head = frame.head.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (head.size() > longest_head || frame.body.size() > longest_body) {
    throw failure("a frame of {} and {} bytes is too long", head.size(), frame.body.size());
  }
  std::string bytes;
  bytes.reserve(2 * length_bytes + head.size() + frame.body.size() + 1);
  put_length(bytes, head.size());
  put_length(bytes, frame.body.size());
  return bytes + head + frame.body + end_of_frame;
}

void FrameReader::add(std::string_view bytes) {
  bytes_ += bytes;
  if (greeted_) return;
  if (const auto at = bytes_.find(greeting); at != std::string::npos) {
    bytes_.erase(0, at + greeting.size());
    greeted_ = true;
  } else if (bytes_.size() > longest_prologue) {
    bytes_.erase(0, bytes_.size() - longest_prologue / 2);
  }
}

bool FrameReader::next(Frame& frame) {
  if (!greeted_ || bytes_.size() < 2 * length_bytes) return false;
  const std::size_t head = length_at(bytes_, 0);
  const std::size_t body = length_at(bytes_, length_bytes);
  if (head > longest_head || body > longest_body) throw failure("no frame: {} and {} bytes long", head, body);
  if (bytes_.size() < 2 * length_bytes + head + body + 1) return false;
  if (bytes_[2 * length_bytes + head + body] != end_of_frame) throw failure("no frame: its end is missing");
  frame.head = nlohmann::json::parse(std::string_view(bytes_).substr(2 * length_bytes, head), nullptr, false);
  frame.body = bytes_.substr(2 * length_bytes + head, body);
  bytes_.erase(0, 2 * length_bytes + head + body + 1);
  const bool has_word = frame.head.is_object() && frame.head.contains("word") && frame.head["word"].is_string();
  if (!has_word) throw failure("no frame: its head has no word");
  return true;
}

}  // namespace lockstep::node
