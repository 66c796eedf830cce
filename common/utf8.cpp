#include "common/utf8.hpp"

namespace lockstep {

static bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

// The length in bytes of the code point that `text` begins with; 0 if it begins with none. (Unicode 15, table 3-7.)
static std::size_t code_point_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) return 0;
  }
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second > 0x9F;
  const bool too_large = lead == 0xF4 && second > 0x8F;
  return overlong || surrogate || too_large ? 0 : length;
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = code_point_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = code_point_length(text);
    result += length == 0 ? "\xEF\xBF\xBD" : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

std::size_t characters(std::string_view valid_utf8) {
  std::size_t count = 0;
  for (const char byte : valid_utf8) count += is_continuation(byte) ? 0 : 1;
  return count;
}

std::string_view first_characters(std::string_view valid_utf8, std::size_t count) {
  for (std::size_t i = 0; i < valid_utf8.size(); ++i) {
    if (is_continuation(valid_utf8[i])) continue;
    if (count-- == 0) return valid_utf8.substr(0, i);
  }
  return valid_utf8;
}

}  // namespace lockstep
