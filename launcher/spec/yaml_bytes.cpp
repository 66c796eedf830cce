#include "launcher/spec/yaml_bytes.hpp"

#include <fmt/format.h>

#include "launcher/spec/yaml_tree.hpp"

namespace lockstep::spec {

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (text.empty()) return 0;
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;  // a continuation, or an overlong two-byte form
  if (first < 0xE0) return continues(1) ? 2 : 0;
  if (first < 0xF0) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) >= 0xA0;
    return !overlong && !surrogate && continues(1) && continues(2) ? 3 : 0;
  }
  const bool overlong = first == 0xF0 && byte(1) < 0x90;
  const bool too_large = first > 0xF4 || (first == 0xF4 && byte(1) >= 0x90);
  return !overlong && !too_large && continues(1) && continues(2) && continues(3) ? 4 : 0;
}

void check_yaml_bytes(std::string_view text) {
  Mark mark{1, 1, 0, 0};
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = utf8_length(text.substr(i));
    mark.offset = static_cast<int>(i);
    if (length == 0) throw YamlError(mark, fmt::format("byte 0x{:02x} is not valid UTF-8", byte));
    const bool control = (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
    if (control) throw YamlError(mark, fmt::format("control character 0x{:02x}", byte));
    i += length;
    mark.column += static_cast<int>(length);
    if (byte == '\n') {
      ++mark.line;
      mark.column = 1;
    }
  }
}

}  // namespace lockstep::spec
