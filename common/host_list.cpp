#include "common/host_list.hpp"

#include <fmt/format.h>

#include <charconv>

#include "common/error.hpp"

namespace lockstep {

namespace {
// Cut at commas that stand in no brackets.
std::vector<std::string_view> split_outside_brackets(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  bool inside = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ',' && !inside)) {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    } else if (text[i] == '[' || text[i] == ']') {
      if (inside == (text[i] == '[')) throw bad_input("'{}' is no list of hosts: its brackets do not match", text);
      inside = text[i] == '[';
    }
  }
  if (inside) throw bad_input("'{}' is no list of hosts: a bracket stays open", text);
  return parts;
}

std::size_t number(std::string_view digits, std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    throw bad_input("'{}' is no list of hosts: '{}' is no number", text, digits);
  }
  return value;
}

// "a[1-2]b[3,4]": each bracket is a list of numbers and ranges; zeros in front are kept.
void expand(std::string_view name, const std::string& before, std::string_view text, std::size_t most,
            std::vector<std::string>& names) {
  const std::size_t open = name.find('[');
  if (open == std::string_view::npos) {
    if (names.size() >= most) throw bad_input("more than {} hosts", most);
    names.push_back(before + std::string(name));
    return;
  }
  const std::size_t close = name.find(']', open);
  const std::string front = before + std::string(name.substr(0, open));
  const std::string_view rest = name.substr(close + 1);
  for (const std::string_view range : split_outside_brackets(name.substr(open + 1, close - open - 1))) {
    const std::size_t dash = range.find('-');
    const std::string_view first = range.substr(0, dash);
    const std::string_view last = dash == std::string_view::npos ? first : range.substr(dash + 1);
    const std::size_t begin = number(first, text);
    const std::size_t end = number(last, text);
    if (end < begin) throw bad_input("'{}' is no list of hosts: {} is below {}", text, last, first);
    for (std::size_t i = begin; i <= end; ++i) {
      expand(rest, fmt::format("{}{:0{}}", front, i, first.size()), text, most, names);
    }
  }
}
}  // namespace

std::vector<std::string> expand_host_list(std::string_view text, std::size_t most) {
  std::vector<std::string> names;
  for (const std::string_view each : split_outside_brackets(text)) {
    if (!each.empty()) expand(each, "", text, most, names);
  }
  return names;
}

}  // namespace lockstep
