#include "launcher/supervise/log_lines.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "common/error.hpp"

namespace lockstep::supervise {

namespace {
constexpr off_t longest_tail = 256 << 10;
constexpr std::size_t longest_line = 500;

std::string tail_of(const fs::path& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // a fifo in place of a log must not hang us
  if (!fd) return "";
  const off_t size = ::lseek(fd.get(), 0, SEEK_END);
  const off_t begin = std::max<off_t>(0, size - longest_tail);
  std::string bytes(static_cast<std::size_t>(std::max<off_t>(0, size - begin)), '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got =
        ::pread(fd.get(), bytes.data() + filled, bytes.size() - filled, begin + static_cast<off_t>(filled));
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  if (begin > 0) bytes.erase(0, bytes.find('\n') + 1);  // a line whose start we did not read (npos + 1 is 0)
  return bytes;
}

// The length of the UTF-8 sequence at the start of `text`, 0 if there is none (RFC 3629, table 3.1).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second > 0x9F;
  const bool too_large = first == 0xF4 && second > 0x8F;
  return overlong || surrogate || too_large ? 0 : length;
}

// ESC [ parameters letter, or ESC and one character.
std::size_t escape_length(std::string_view text) {
  if (text.size() < 2 || text[1] != '[') return std::min<std::size_t>(2, text.size());
  std::size_t end = 2;
  while (end < text.size() && (text[end] < '@' || text[end] > '~')) ++end;
  return std::min(end + 1, text.size());
}
}  // namespace

std::string printable_line(std::string_view line) {
  while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  line.remove_prefix(line.rfind('\r') + 1);
  std::string result;
  while (!line.empty()) {
    if (result.size() >= longest_line) return result + "...";
    std::size_t length = 1;
    const auto first = static_cast<unsigned char>(line.front());
    if (first == 0x1B) {
      length = escape_length(line);
    } else if (first == '\t') {
      result += "  ";
    } else if (first >= ' ' && first != 0x7F) {
      const std::size_t whole = utf8_length(line);
      length = std::max<std::size_t>(1, whole);
      result += whole == 0 ? std::string_view("?") : line.substr(0, whole);
    }
    line.remove_prefix(length);
  }
  return result;
}

std::vector<std::string> last_lines(const fs::path& log, std::size_t count) {
  const std::string bytes = tail_of(log);
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < bytes.size();) {
    const std::size_t end = std::min(bytes.find('\n', begin), bytes.size());
    lines.push_back(printable_line(std::string_view(bytes).substr(begin, end - begin)));
    begin = end + 1;
  }
  if (lines.size() > count) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
  return lines;
}

}  // namespace lockstep::supervise
