#include "launcher/spec/keys.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "common/nearest.hpp"
#include "launcher/spec/key_checks.hpp"
#include "launcher/spec/quoted.hpp"
#include "launcher/spec/scalar.hpp"

namespace lockstep::spec {

// Digits with or without a point: no sign, exponent, infinity.
static std::optional<double> number_of(std::string_view text) {
  if (text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void Keys::read_mapping(const YamlNode& value, const std::string& path, Mistakes& mistakes,
                        const std::function<void(Keys&)>& read) {
  Keys keys(value, path, mistakes);
  if (!value.is_mapping()) return keys.expect(value, path, "a mapping");
  read(keys);
  keys.refuse_others();
}

bool Keys::mapping(const std::string& key, const std::function<void(Keys&)>& read) {
  const YamlNode* const node = find(key);
  if (node != nullptr) read_mapping(*node, path_of(key), mistakes_, read);
  return node != nullptr;
}

bool Keys::mappings(const std::string& key, const std::function<void(Keys&)>& read) {
  const YamlNode* const node = find(key);
  if (node == nullptr) return false;
  if (!node->is_list()) expect(*node, path_of(key), "a list of mappings");
  for (const YamlNode& item : node->items) read_mapping(item, path_of(key), mistakes_, read);
  return true;
}

const YamlNode* Keys::find(const std::string& key) {
  known_.push_back(key);
  return node_.find(key);
}

bool Keys::miss(const std::string& key) {
  mistakes_.add(node_.mark, fmt::format("missing key '{}'{}", key, shown_.empty() ? "" : " in " + shown_));
  return false;
}

void Keys::refuse(const std::string& key, const std::string& message) {
  for (const auto& [name, value] : node_.entries) {
    if (name.text != key) continue;
    known_.push_back(key);
    mistakes_.add(name.mark, message);
  }
}

void Keys::expect(const YamlNode& value, const std::string& path, std::string_view wanted) {
  mistakes_.add(value.mark, fmt::format("{} must be {}, not {}", path, wanted,
                                        value.is_scalar() ? in_quotes(value.text) : std::string(kind_in_words(value))));
}

void Keys::refuse_others() {
  constexpr std::size_t short_list = 12;
  for (const auto& [key, value] : node_.entries) {
    if (std::find(known_.begin(), known_.end(), key.text) != known_.end()) continue;
    std::string hint = did_you_mean(key.text, known_);
    if (hint.empty() && known_.size() <= short_list) hint = fmt::format("; known keys: {}", fmt::join(known_, ", "));
    mistakes_.add(key.mark,
                  fmt::format("unknown key {}{}{}", in_quotes(key.text), shown_.empty() ? "" : " in " + shown_, hint));
  }
}

void Keys::read(const YamlNode& node, const std::string& path, std::string& value) {
  const bool blank = node.text.find_first_not_of(' ') == std::string::npos;
  if (!node.is_scalar() || blank || !check_short_line(node.text).empty())
    return expect(node, path, "one line of 1 to 255 bytes");
  value = node.text;
}

void Keys::read(const YamlNode& node, const std::string& path, std::string& value, TextCheck check) {
  const std::string_view wanted = check(node.text);
  if (!node.is_scalar()) return expect(node, path, wanted.empty() ? "text" : wanted);
  if (!wanted.empty()) return expect(node, path, wanted);
  value = node.text;
}

void Keys::read(const YamlNode& node, const std::string& path, int& value, Range range) {
  const auto number = node.is_scalar() ? integer_of(node.text) : std::nullopt;
  if (!number || *number < range.least || *number > range.most)
    return expect(node, path, fmt::format("a whole number from {} to {}", range.least, range.most));
  value = static_cast<int>(*number);
}

void Keys::read(const YamlNode& node, const std::string& path, double& value) {
  const auto number = node.is_scalar() ? number_of(node.text) : std::nullopt;
  if (!number || *number <= 0 || *number > 1e6) return expect(node, path, "a number above 0, at most 1000000");
  value = *number;
}

void Keys::read(const YamlNode& node, const std::string& path, bool& value) {
  const auto truth = node.is_scalar() ? boolean_of(node.text) : std::nullopt;
  if (!truth) return expect(node, path, "true or false");
  value = *truth;
}

}  // namespace lockstep::spec
