#include "cli/screen.hpp"

#include <fmt/format.h>

#include <array>

#include "common/error.hpp"
#include "common/file.hpp"

namespace lockstep::cli {

static constexpr std::string_view erase_line = "\r\x1b[K";

Screen::~Screen() {
  if (drawn_.empty()) return;
  try {
    write_all(fd_, erase_line);
  } catch (const Error&) {  // the terminal is gone; nothing is left to erase
    drawn_.clear();
  }
}

void Screen::end_open_line() {
  if (open_line_of_ >= 0) buffer_ += '\n';
  open_line_of_ = -1;
}

std::string Screen::prefix(int rank) const {
  static constexpr std::array<std::string_view, 6> colours = {"36", "33", "32", "35", "34", "31"};
  return coloured(fmt::format("[{}]", rank), colours[static_cast<std::size_t>(rank) % colours.size()],
                  terminal_.colour) +
         " ";
}

void Screen::log(int rank, std::string_view bytes) {
  if (bytes.empty()) return;
  if (open_line_of_ != rank) end_open_line();
  if (!name_ranks_) {
    buffer_ += bytes;
  } else {
    bool inside_line = open_line_of_ == rank;
    for (std::size_t begin = 0; begin < bytes.size();) {
      const std::size_t newline = bytes.find('\n', begin);
      const std::size_t end = newline == std::string_view::npos ? bytes.size() : newline + 1;
      if (!inside_line) buffer_ += prefix(rank);
      buffer_ += bytes.substr(begin, end - begin);
      inside_line = false;
      begin = end;
    }
  }
  open_line_of_ = bytes.back() == '\n' ? -1 : rank;
}

void Screen::say(std::string_view lines) {
  end_open_line();
  buffer_ += lines;
  buffer_ += '\n';
}

void Screen::flush() {
  const std::string wanted = terminal_.is_terminal ? live_ : "";
  if (buffer_.empty() && wanted == drawn_) return;
  std::string bytes;
  if (!drawn_.empty()) bytes += erase_line;
  if (!wanted.empty()) end_open_line();
  bytes += buffer_;
  bytes += wanted;
  write_all(fd_, bytes);
  buffer_.clear();
  drawn_ = wanted;
}

}  // namespace lockstep::cli
