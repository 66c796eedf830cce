#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cwchar>

namespace lockstep::cli {

static std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

static bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = variable(name);
    if (value.empty()) continue;
    for (const std::string_view spelling : {"UTF-8", "utf-8", "UTF8", "utf8"}) {
      if (value.ends_with(spelling) || value.find(std::string(spelling) + "@") != std::string_view::npos) return true;
    }
    return false;
  }
  return false;
}

int terminal_width(int fd) {
  winsize size{};
  if (::isatty(fd) == 1 && ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  int columns = 0;
  const std::string_view text = variable("COLUMNS");
  std::from_chars(text.data(), text.data() + text.size(), columns);
  return columns > 0 ? columns : 100;
}

Terminal terminal_of(int fd) {
  Terminal terminal;
  terminal.is_terminal = ::isatty(fd) == 1 && variable("TERM") != "dumb";
  terminal.colour = terminal.is_terminal && variable("NO_COLOR").empty();
  terminal.utf8 = locale_is_utf8();
  terminal.width = terminal_width(fd);
  return terminal;
}

// The bytes of the character at the front of `text` and its code point; 1 byte and 0xFFFD for what is no UTF-8.
struct Character {
  std::size_t bytes = 1;
  char32_t code = 0xFFFD;
};
static Character front_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {1, first};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  char32_t code = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3FU);
  }
  return {length, code};
}

static int width_of(char32_t code) {
  if (code < 0x300) return 1;
  const int width = ::wcwidth(static_cast<wchar_t>(code));  // -1 where the locale does not know the character
  return width < 0 ? 1 : width;
}

int display_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const Character character = front_of(text);
    width += width_of(character.code);
    text.remove_prefix(character.bytes);
  }
  return width;
}

std::string fit(std::string_view text, int width, bool utf8) {
  if (display_width(text) <= width) return std::string(text);
  const std::string_view mark = utf8 ? "…" : "...";
  const int room = width - display_width(mark);
  if (room < 0) return std::string(static_cast<std::size_t>(width > 0 ? width : 0), '.');
  std::size_t bytes = 0;
  for (int used = 0; bytes < text.size();) {
    const Character character = front_of(text.substr(bytes));
    used += width_of(character.code);
    if (used > room) break;
    bytes += character.bytes;
  }
  return std::string(text.substr(0, bytes)) + std::string(mark);
}

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const Character character = front_of(text);
    const bool control = character.code < 0x20 || (character.code >= 0x7F && character.code < 0xA0);
    result += control || character.code == 0xFFFD ? std::string("?") : std::string(text.substr(0, character.bytes));
    text.remove_prefix(character.bytes);
  }
  return result;
}

std::string coloured(std::string_view text, std::string_view sgr, bool on) {
  if (!on || sgr.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", sgr, text);
}

}  // namespace lockstep::cli
