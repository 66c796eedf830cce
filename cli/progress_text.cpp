#include "cli/progress_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/clock.hpp"

namespace lockstep::cli {

std::string with_thousands(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

static std::vector<std::string> parts_of(const history::Progress& progress) {
  std::vector<std::string> parts;
  if (progress.epochs > 0) parts.push_back(fmt::format("epoch {}/{}", progress.epoch, progress.epochs));
  if (progress.steps > 0) parts.push_back(fmt::format("step {}/{}", progress.step, progress.steps));
  if (progress.step > 0) parts.push_back(fmt::format("loss {:.4f}", progress.loss));
  const bool rate_known = std::isfinite(progress.samples_per_s) && progress.samples_per_s > 0;
  if (rate_known) parts.push_back(with_thousands(progress.samples_per_s) + " samples/s");
  constexpr double a_year = 365.0 * 86400;
  const bool left_known = progress.seconds_left > 0 && progress.seconds_left < a_year;
  if (left_known) {
    const double whole = std::ceil(progress.seconds_left);
    parts.push_back(whole < 60 ? fmt::format("{:.0f} s left", whole)
                               : duration_text(static_cast<std::int64_t>(whole) * 1000) + " left");
  }
  return parts;
}

std::string progress_words(const history::Progress& progress) {
  std::string text;
  for (const auto& part : parts_of(progress)) text += (text.empty() ? "" : "  ") + part;
  return text;
}

static std::string bar(double fraction, int width, bool utf8) {
  const int eighths = static_cast<int>(std::lround(fraction * width * 8));
  std::string text;
  for (int i = 0; i < width; ++i) {
    const int filled = std::clamp(eighths - 8 * i, 0, 8);
    static constexpr const char* block[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
    text += utf8 ? block[filled] : filled >= 4 ? "#" : " ";
  }
  return text;
}

std::string progress_line(const history::Progress& progress, const Terminal& terminal) {
  const double fraction =
      progress.steps > 0
          ? std::clamp(static_cast<double>(progress.step) / static_cast<double>(progress.steps), 0.0, 1.0)
          : 0.0;
  const std::string percent = fmt::format("{:3.0f} %", std::floor(fraction * 100));
  const int available = terminal.width - 1;  // the last column stays free: some terminals wrap when it is written
  std::vector<std::string> parts = parts_of(progress);
  const auto words_width = [&] {
    int width = display_width(percent);
    for (const auto& part : parts) width += 2 + display_width(part);
    return width;
  };
  while (!parts.empty() && words_width() > available) parts.pop_back();

  constexpr int widest_bar = 24;
  constexpr int narrowest_bar = 4;
  const int bar_width = std::min(widest_bar, available - words_width() - 3);
  std::string line;
  if (bar_width >= narrowest_bar) {
    line = fmt::format("[{}] ", coloured(bar(fraction, bar_width, terminal.utf8), "32", terminal.colour));
  }
  line += percent;
  for (const auto& part : parts) line += "  " + part;
  return line;
}

}  // namespace lockstep::cli
