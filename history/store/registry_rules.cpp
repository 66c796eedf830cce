#include "history/store/registry_rules.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/error.hpp"
#include "common/utf8.hpp"

namespace lockstep::history::registry_rules {

namespace {
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Python's \w, which takes the letters of every script; we take every character beyond ASCII.
bool is_word_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_alias_character(char c) { return is_word_character(c) || c == '-'; }
bool is_key_character(char c) { return is_word_character(c) || std::string_view("/.- :").find(c) != std::string::npos; }

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

bool is_blank(const std::string& text) { return text.find_first_not_of(" \t\n\v\f\r") == std::string::npos; }

void check_utf8(std::string_view what, const std::string& text) {
  if (!is_valid_utf8(text)) throw bad_input("the {} is not valid UTF-8", what);
}

void check_length(std::string_view what, const std::string& text, std::size_t limit) {
  if (characters(text) > limit) throw bad_input("'{}' exceeds the maximum length of {} characters", what, limit);
}

Error invalid_value(std::string_view parameter, const std::string& value, const std::string& why) {
  return bad_input("Invalid value {} for parameter '{}' supplied: {}",
                   nlohmann::json(value).dump(-1, ' ', /*ensure_ascii=*/true), parameter, why);
}

// What a path comes to when it is taken part by part, as Python's posixpath.normpath says it.
std::string normal_path(const std::string& path) {
  std::vector<std::string> parts;
  const bool is_absolute = path.starts_with('/');
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (part != ".." || (!is_absolute && (parts.empty() || parts.back() == ".."))) {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string normal;
  for (const auto& part : parts) normal += (normal.empty() ? "" : "/") + part;
  if (is_absolute) return (path.starts_with("//") && !path.starts_with("///") ? "//" : "/") + normal;
  return normal.empty() ? "." : normal;
}

// Names become file names in some clients.
void check_is_normal_path(std::string_view parameter, const std::string& name) {
  const std::string normal = normal_path(name);
  if (normal == name && normal != "." && !normal.starts_with("..") && !normal.starts_with('/')) return;
  throw invalid_value(parameter, name,
                      "Names may be treated as files in certain cases, and must not resolve to other names when "
                      "treated as such. This name would resolve to '" +
                          normal + "'");
}
}  // namespace

void check_model_name(const std::string& name) {
  if (is_blank(name)) throw bad_input("Missing value for required parameter 'name'.");
  check_utf8("name", name);
  if (name.find_first_of("/:") != std::string::npos) {
    throw bad_input("Invalid model name '{}'. Names cannot contain '/' or ':'.", name);
  }
  check_is_normal_path("name", name);
}

void check_new_model_name(const std::string& new_name) {
  if (is_blank(new_name)) throw bad_input("Missing value for required parameter 'new_name'.");
  check_model_name(new_name);
}

void check_tag_key(const std::string& key) {
  check_utf8("key", key);
  if (!std::all_of(key.begin(), key.end(), is_key_character)) {
    throw invalid_value("key", key,
                        "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), "
                        "colon(:) and slashes (/).");
  }
  check_is_normal_path("key", key);
}

void check_tag(const KeyValue& tag) {
  check_tag_key(tag.key);
  check_utf8("value", tag.value);
  check_length("key", tag.key, tag_key_length);
  check_length("value", tag.value, tag_value_length);
}

void check_alias(const std::string& alias) {
  if (alias.empty()) throw bad_input("Registered model alias name cannot be empty.");
  check_utf8("alias", alias);
  if (!std::all_of(alias.begin(), alias.end(), is_alias_character)) {
    throw bad_input("Invalid alias name: '{}'. Names may only contain alphanumerics, underscores (_), and dashes (-).",
                    alias);
  }
  check_length("Registered model alias name", alias, alias_length);
}

void check_new_alias(const std::string& alias) {
  check_alias(alias);
  if (is_latest(alias)) throw bad_input("'latest' alias name (case insensitive) is reserved.");
  const bool has_v = alias[0] == 'v' || alias[0] == 'V';
  if (has_v && alias.size() > 1 && std::all_of(alias.begin() + 1, alias.end(), is_digit)) {
    throw bad_input("Version alias name '{}' is reserved.", alias);
  }
}

bool is_latest(const std::string& alias) { return lower(alias) == "latest"; }

std::string canonical_stage(const std::string& stage) {
  for (const char* each : {"None", "Staging", "Production", "Archived"}) {
    if (lower(each) == lower(stage)) return each;
  }
  throw bad_input("Invalid Model Version stage: {}. Value must be one of None, Staging, Production, Archived.", stage);
}

}  // namespace lockstep::history::registry_rules
