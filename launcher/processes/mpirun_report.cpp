#include "launcher/processes/mpirun_report.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace lockstep::processes {

namespace {
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  return begin == std::string_view::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// The number that follows `mark` in the line.
std::optional<int> number_after(std::string_view line, std::string_view mark) {
  const auto at = line.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = trimmed(line.substr(at + mark.size()));
  int value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

// mpirun noticed that process rank 2 with PID 0 on node vm exited on signal 9 (Killed).
bool take_signal(std::string_view line, MpirunReport& report) {
  const auto rank = number_after(line, "noticed that process rank ");
  const auto signal = number_after(line, " exited on signal ");
  if (!rank || !signal) return false;
  report.rank = rank;
  report.signal = signal;
  return true;
}

//   Process name: [[19112,1],1]
//   Exit code:    3
bool take_exit(const std::vector<std::string_view>& lines, std::size_t at, MpirunReport& report) {
  if (lines[at].find("Process name: [[") == std::string_view::npos || at + 1 >= lines.size()) return false;
  const auto rank = number_after(lines[at], "],");
  const auto code = number_after(lines[at + 1], "Exit code:");
  if (!rank || !code) return false;
  report.rank = rank;
  report.exit_code = code;
  return true;
}

// MPI_ABORT was invoked on rank 1 in communicator MPI_COMM_WORLD
// with errorcode 5.
bool take_abort(const std::vector<std::string_view>& lines, std::size_t at, MpirunReport& report) {
  const auto rank = number_after(lines[at], "MPI_ABORT was invoked on rank ");
  if (!rank || at + 1 >= lines.size()) return false;
  report.aborted = true;
  report.exit_code = number_after(lines[at + 1], "with errorcode ");
  // In another communicator the number is not the rank of the run.
  if (lines[at].find("MPI_COMM_WORLD") != std::string_view::npos) report.rank = rank;
  return report.rank.has_value();
}

bool is_rule(std::string_view line) {
  return line.size() > 40 && line.find_first_not_of('-') == std::string_view::npos;
}

// ORTE has lost communication with a remote daemon.
//
//   HNP daemon   : [[33455,0],0] on node launcher
//   Remote daemon: [[33455,0],2] on node node-2
std::string lost_node(const std::vector<std::string_view>& lines, std::size_t first) {
  constexpr std::string_view mark = " on node ";
  for (std::size_t i = first; i < lines.size() && !is_rule(lines[i]); ++i) {
    const auto at = lines[i].find(mark);
    if (lines[i].find("Remote daemon: [[") == std::string_view::npos || at == std::string_view::npos) continue;
    return std::string(trimmed(lines[i].substr(at)));
  }
  return "";
}

// The first paragraph between two rules of dashes, unless it is about a rank's end; with the node that it is about.
std::string trouble_in(const std::vector<std::string_view>& lines) {
  constexpr std::string_view about_ranks[] = {"Primary job", "noticed that process", "detected that one or more",
                                              "MPI_ABORT was invoked"};
  bool inside = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!is_rule(lines[i])) continue;
    inside = !inside;
    if (!inside) continue;
    std::string paragraph;
    for (std::size_t j = i + 1; j < lines.size() && !trimmed(lines[j]).empty() && !is_rule(lines[j]); ++j) {
      paragraph += (paragraph.empty() ? "" : " ") + std::string(trimmed(lines[j]));
    }
    const bool is_end = std::any_of(std::begin(about_ranks), std::end(about_ranks),
                                    [&](auto each) { return paragraph.find(each) != std::string::npos; });
    if (is_end || paragraph.empty()) continue;
    const std::string node = lost_node(lines, i + 1);
    if (!node.empty() && paragraph.ends_with('.')) paragraph.pop_back();
    return node.empty() ? paragraph : paragraph + " " + node;
  }
  return "";
}
}  // namespace

MpirunReport parse_mpirun_report(std::string_view text) {
  const auto lines = lines_of(text);
  MpirunReport report;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (take_signal(lines[i], report) || take_exit(lines, i, report) || take_abort(lines, i, report)) return report;
  }
  report.trouble = trouble_in(lines);
  return report;
}

}  // namespace lockstep::processes
