#include "history/server/json_text.hpp"

#include <charconv>
#include <cmath>

#include "common/utf8.hpp"

namespace lockstep::history::server {

static void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      constexpr std::string_view digits = "0123456789abcdef";
      out += "\\u00";
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[static_cast<unsigned char>(c) & 15];
  }
}

void JsonText::before_value() {
  if (needs_comma_) text_ += ',';
  needs_comma_ = true;
}

void JsonText::begin_object() {
  before_value();
  text_ += '{';
  needs_comma_ = false;
}
void JsonText::end_object() {
  text_ += '}';
  needs_comma_ = true;
}
void JsonText::begin_array() {
  before_value();
  text_ += '[';
  needs_comma_ = false;
}
void JsonText::end_array() {
  text_ += ']';
  needs_comma_ = true;
}

void JsonText::key(std::string_view name) {
  value(name);
  text_ += ':';
  needs_comma_ = false;
}

void JsonText::value(std::string_view text) {
  before_value();
  const std::string mended = is_valid_utf8(text) ? std::string() : replace_invalid_utf8(text);
  if (!mended.empty()) text = mended;
  text_ += '"';
  std::size_t plain = 0;  // where the bytes begin that go out as they are
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    text_ += text.substr(plain, i - plain);
    append_escaped(text_, text[i]);
    plain = i + 1;
  }
  text_ += text.substr(plain);
  text_ += '"';
}

void JsonText::value(std::int64_t number) {
  before_value();
  char digits[24];
  const char* const end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  text_.append(static_cast<const char*>(digits), end);
}

void JsonText::value(bool truth) { raw(truth ? "true" : "false"); }

void JsonText::value(double number) {
  if (!std::isfinite(number)) {
    value(std::string_view(std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity"));
    return;
  }
  before_value();
  char digits[32];
  const char* const end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  text_.append(static_cast<const char*>(digits), end);
  // Clients of typed languages read "3" as an integer.
  if (std::string_view(digits, static_cast<std::size_t>(end - digits)).find_first_of(".e") == std::string_view::npos) {
    text_ += ".0";
  }
}

void JsonText::raw(std::string_view json) {
  before_value();
  text_ += json;
}

}  // namespace lockstep::history::server
