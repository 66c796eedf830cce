#include "cli/text_table.hpp"

#include <algorithm>
#include <numeric>

namespace lockstep::cli {

static constexpr int gap = 2;
static constexpr int narrowest = 8;  // a shrinking column keeps this much

static std::vector<int> widths_of(const std::vector<Column>& columns,
                                  const std::vector<std::vector<std::string>>& rows) {
  std::vector<int> widths;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    int width = display_width(columns[i].title);
    for (const auto& row : rows) width = std::max(width, display_width(row[i]));
    widths.push_back(width);
  }
  return widths;
}

static int total(const std::vector<int>& widths) {
  return std::accumulate(widths.begin(), widths.end(), 0) + gap * (static_cast<int>(widths.size()) - 1);
}

static void shrink_to(std::vector<int>& widths, const std::vector<Column>& columns, int available) {
  for (;;) {
    const int excess = total(widths) - available;
    if (excess <= 0) return;
    std::size_t widest = columns.size();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const bool can_give = columns[i].shrinks && widths[i] > narrowest;
      if (can_give && (widest == columns.size() || widths[i] > widths[widest])) widest = i;
    }
    if (widest == columns.size()) return;
    widths[widest] -= 1;
  }
}

static std::string cell(const std::string& text, int width, bool right_aligned, bool utf8) {
  const std::string shown = fit(text, width, utf8);
  const std::string padding(static_cast<std::size_t>(std::max(0, width - display_width(shown))), ' ');
  return right_aligned ? padding + shown : shown + padding;
}

std::string text_table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& given_rows,
                       const Terminal& terminal) {
  auto rows = given_rows;
  for (auto& row : rows) {
    for (auto& each : row) each = printable(each);
  }
  std::vector<int> widths = widths_of(columns, rows);
  if (terminal.is_terminal) shrink_to(widths, columns, terminal.width);

  const auto line_of = [&](const auto& text_of) {
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      line += cell(text_of(i), widths[i], columns[i].right_aligned, terminal.utf8) + std::string(gap, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return terminal.is_terminal ? fit(line, terminal.width, terminal.utf8) : line;
  };
  std::string header = line_of([&](std::size_t i) { return columns[i].title; });
  std::string result = coloured(header, "1", terminal.colour) + "\n";
  result += line_of([&](std::size_t i) { return std::string(static_cast<std::size_t>(widths[i]), '-'); }) + "\n";
  for (const auto& row : rows) result += line_of([&](std::size_t i) { return row[i]; }) + "\n";
  return result;
}

std::string field_list(const Fields& fields) {
  int width = 0;
  for (const auto& [key, value] : fields) width = std::max(width, display_width(key));
  std::string result;
  for (const auto& [key, value] : fields) {
    const std::string title = key.empty() ? "" : printable(key) + ":";
    result += cell(title, width + gap, false, false) + printable(value) + "\n";
  }
  return result;
}

}  // namespace lockstep::cli
