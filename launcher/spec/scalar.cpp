#include "launcher/spec/scalar.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>

namespace lockstep::spec {

std::optional<long> integer_of(std::string_view text) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> boolean_of(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

int to_int(const YamlNode& node) { return static_cast<int>(integer_of(node.text).value_or(0)); }

bool to_bool(const YamlNode& node) { return boolean_of(node.text).value_or(false); }

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](unsigned char x, unsigned char y) {
           return std::tolower(x) == std::tolower(y);
         });
}

static nlohmann::json to_json(const YamlNode& node) {
  if (node.is_null()) return nullptr;
  if (node.is_list()) {
    auto list = nlohmann::json::array();
    for (const auto& item : node.items) list.push_back(to_json(item));
    return list;
  }
  if (node.is_mapping()) {
    auto mapping = nlohmann::json::object();
    for (const auto& [key, value] : node.entries) mapping[key.text] = to_json(value);
    return mapping;
  }
  if (const auto truth = boolean_of(node.text); truth && node.plain) return *truth;
  auto number = node.plain ? nlohmann::json::parse(node.text, nullptr, false) : nlohmann::json();
  return number.is_number() ? number : nlohmann::json(node.text);
}

std::string text_or_json(const YamlNode& node) {
  if (node.is_scalar()) return node.text;
  return to_json(node).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string_view kind_in_words(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "null";
    case YamlNode::Kind::list:
      return "a list";
    case YamlNode::Kind::mapping:
      return "a mapping";
    case YamlNode::Kind::scalar:
      break;
  }
  return "text";
}

std::string compute_name(std::string_view text) {
  constexpr std::string_view prefix = "azureml:";
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  return text == "local" ? "" : std::string(text);
}

}  // namespace lockstep::spec
