#include "cli/loss_curve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace lockstep::cli {

namespace {

// Dots under a coordinate system with the origin at the top left.
class Canvas {
 public:
  Canvas(int columns, int rows, bool utf8)
      : columns_(columns), rows_(rows), utf8_(utf8), dots_(index(0, height()), false) {}

  int width() const { return columns_ * (utf8_ ? 2 : 1); }
  int height() const { return rows_ * (utf8_ ? 4 : 1); }
  void set(int x, int y) { dots_[index(x, y)] = true; }

  std::string row(int row) const {
    std::string text;
    for (int column = 0; column < columns_; ++column)
      text += utf8_ ? braille(column, row) : at(column, row) ? "*" : " ";
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  }

 private:
  std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width()) + static_cast<std::size_t>(x);
  }
  bool at(int x, int y) const { return dots_[index(x, y)]; }

  // Unicode 15, "Braille Patterns": U+2800 and one bit per dot, in this order.
  std::string braille(int column, int row) const {
    static constexpr int bit[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    int pattern = 0;
    for (int y = 0; y < 4; ++y) {
      for (int x = 0; x < 2; ++x) pattern |= at(2 * column + x, 4 * row + y) ? bit[y][x] : 0;
    }
    if (pattern == 0) return " ";
    return {static_cast<char>(0xE2), static_cast<char>(0xA0 | (pattern >> 6)),
            static_cast<char>(0x80 | (pattern & 63))};
  }

  int columns_, rows_;
  bool utf8_;
  std::vector<bool> dots_;
};

struct Range {
  double low = 0;
  double high = 0;
  // 0 at low, 1 at high. Halves are taken before the subtraction: high - low may overflow.
  double fraction(double value) const { return high == low ? 0.5 : (value / 2 - low / 2) / (high / 2 - low / 2); }
};

// The mean of the points that fall into each dot column; NaN where none does.
std::vector<double> column_means(std::span<const history::Metric> points, const Range& steps, int width) {
  std::vector<double> mean(static_cast<std::size_t>(width), std::nan(""));
  std::vector<int> count(static_cast<std::size_t>(width), 0);
  for (const auto& point : points) {
    const auto x = static_cast<std::size_t>(std::lround(steps.fraction(static_cast<double>(point.step)) * (width - 1)));
    mean[x] = count[x] == 0 ? point.value : mean[x] + (point.value - mean[x]) / (count[x] + 1);
    ++count[x];
  }
  return mean;
}

// Dots from each known column to the next, so that the curve has no holes.
void draw_line(Canvas& canvas, const std::vector<double>& mean, const Range& values) {
  int last_x = -1;
  int last_y = 0;
  for (int x = 0; x < canvas.width(); ++x) {
    const double value = mean[static_cast<std::size_t>(x)];
    if (!std::isfinite(value)) continue;
    const int y = static_cast<int>(std::lround((1 - values.fraction(value)) * (canvas.height() - 1)));
    const int from = last_x < 0 ? x : last_x;
    const int from_y = last_x < 0 ? y : last_y;
    const int steps = std::max({1, x - from, std::abs(y - from_y)});
    for (int i = 0; i <= steps; ++i) canvas.set(from + (x - from) * i / steps, from_y + (y - from_y) * i / steps);
    last_x = x;
    last_y = y;
  }
}

}  // namespace

std::string draw_curve(const std::string& name, std::span<const history::Metric> points, const CurveSize& size) {
  std::vector<history::Metric> finite;
  std::copy_if(points.begin(), points.end(), std::back_inserter(finite),
               [](const history::Metric& each) { return std::isfinite(each.value); });
  constexpr int label = 9;  // columns of the labels on the left, their blank included
  constexpr int axis = 2;
  const int columns = size.columns - label - axis;
  if (finite.size() < 3 || columns < 10 || size.rows < 2) return "";

  const auto [first, last] =
      std::minmax_element(finite.begin(), finite.end(), [](const auto& a, const auto& b) { return a.step < b.step; });
  const Range steps{static_cast<double>(first->step), static_cast<double>(last->step)};
  Canvas canvas(columns, size.rows, size.utf8);
  const std::vector<double> mean = column_means(finite, steps, canvas.width());
  Range values{std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest()};
  for (const double value : mean) {
    if (!std::isfinite(value)) continue;
    values.low = std::min(values.low, value);
    values.high = std::max(values.high, value);
  }
  draw_line(canvas, mean, values);

  std::string text = fmt::format("{:{}}{}", "", label, name);
  if (const std::size_t left_out = points.size() - finite.size(); left_out > 0) {
    text += fmt::format(" ({} values that are not finite are left out)", left_out);
  }
  text += "\n";
  for (int row = 0; row < size.rows; ++row) {
    const bool labelled = row == 0 || row == size.rows - 1 || row == (size.rows - 1) / 2;
    const double at = 1 - static_cast<double>(row) / (size.rows - 1);
    const double value = values.low * (1 - at) + values.high * at;
    const std::string number = labelled ? fmt::format("{:.4g}", value) : "";
    const char* mark = size.utf8 ? (labelled ? "┤" : "│") : (labelled ? "+" : "|");
    text += fmt::format("{:>{}} {}{}\n", number, label - 1, mark, canvas.row(row));
  }
  std::string rule;
  for (int i = 0; i < columns; ++i) rule += size.utf8 ? "─" : "-";
  text += fmt::format("{:{}}{}{}\n", "", label, size.utf8 ? "└" : "+", rule);
  const std::string left = fmt::format("{}", first->step);
  const std::string right = fmt::format("step {}", last->step);
  const int between = std::max(1, columns - static_cast<int>(left.size() + right.size()));
  text += fmt::format("{:{}}{}{:{}}{}\n", "", label + 1, left, "", between, right);
  return text;
}

}  // namespace lockstep::cli
