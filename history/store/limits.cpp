#include "history/store/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "common/error.hpp"
#include "common/utf8.hpp"

namespace lockstep::history::limits {

static bool is_ascii_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// MLflow's ^[/\w.\- :]*$. Its \w takes the letters of every script; we take every character beyond ASCII.
static bool is_key_character(char c) {
  return is_ascii_alphanumeric(c) || static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view("_/.- :").find(c) != std::string_view::npos;
}

// Keys become file names in some clients, so they must be plain relative paths: no empty, "." or ".." part.
static bool is_normal_path(std::string_view key) {
  while (true) {
    const auto slash = key.find('/');
    const std::string_view part = key.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    key.remove_prefix(slash + 1);
  }
}

static std::string printable(std::string_view text) {
  const std::string valid = replace_invalid_utf8(text);
  const std::string_view shown = first_characters(valid, 60);
  return fmt::format("'{}{}'", shown, shown.size() < valid.size() ? "..." : "");
}

NameFault fault_in_name(std::string_view name) {
  if (name.empty()) return NameFault::missing;
  if (!is_valid_utf8(name) || !std::all_of(name.begin(), name.end(), is_key_character)) return NameFault::characters;
  if (!is_normal_path(name)) return NameFault::path;
  return characters(name) > key_length ? NameFault::length : NameFault::none;
}

static std::optional<std::string> mistake_in_key(std::string_view what, std::string_view key) {
  switch (fault_in_name(key)) {
    case NameFault::none:
      return std::nullopt;
    case NameFault::missing:
      return fmt::format("a {} without a name", what);
    case NameFault::characters:
      return fmt::format("{} {}: names may hold letters, digits, '_', '/', '.', '-', ' ' and ':'{}", what,
                         printable(key), is_valid_utf8(key) ? "" : ", in valid UTF-8");
    case NameFault::path:
      return fmt::format("{} {}: the name is no plain relative path", what, printable(key));
    case NameFault::length:
      break;
  }
  return fmt::format("{} {}: the name exceeds the maximum length of {} characters", what, printable(key), key_length);
}

static Checked check(std::string_view what, const KeyValue& pair, std::size_t limit, bool cut) {
  if (auto mistake = mistake_in_key(what, pair.key)) return {{}, mistake};
  if (!is_valid_utf8(pair.value)) return {{}, fmt::format("{} '{}': the value is not valid UTF-8", what, pair.key)};
  const std::string_view value = first_characters(pair.value, limit);
  if (value.size() < pair.value.size() && !cut) {
    return {{}, fmt::format("{} '{}': the value exceeds the maximum length of {} characters", what, pair.key, limit)};
  }
  return {value, std::nullopt};
}

Checked check_param(const KeyValue& param, bool cut) { return check("parameter", param, param_length, cut); }
Checked check_tag(const KeyValue& tag, bool cut) { return check("tag", tag, tag_length, cut); }
Checked check_experiment_tag(const KeyValue& tag) { return check("tag", tag, experiment_tag_length, false); }

std::optional<std::string> mistake_in_metric(const Metric& metric) {
  if (auto mistake = mistake_in_key("metric", metric.key)) return mistake;
  if (metric.timestamp_ms < 0) {
    return fmt::format("metric '{}': timestamp {} is before 1970", metric.key, metric.timestamp_ms);
  }
  return std::nullopt;
}

static std::optional<std::string> mistake_in_length(std::string_view what, std::string_view text, std::size_t limit) {
  if (!is_valid_utf8(text)) return fmt::format("'{}' is not valid UTF-8", what);
  if (characters(text) > limit) return fmt::format("'{}' exceeds the maximum length of {} characters", what, limit);
  return std::nullopt;
}

std::optional<std::string> mistake_in_dataset_input(const DatasetInput& input) {
  struct Limit {
    std::string_view what;
    std::string_view text;
    std::size_t characters;
  };
  std::vector<Limit> all = {{"name", input.dataset.name, 500},
                            {"digest", input.dataset.digest, 36},
                            {"source_type", input.dataset.source_type, 36},
                            {"source", input.dataset.source, 65'535},
                            {"schema", input.dataset.schema, 1'048'575},
                            {"profile", input.dataset.profile, 16'777'215}};
  for (const KeyValue& tag : input.tags) {
    all.push_back({"key", tag.key, 255});
    all.push_back({"value", tag.value, 500});
  }
  for (const Limit& each : all) {
    if (auto mistake = mistake_in_length(each.what, each.text, each.characters)) return mistake;
  }
  return std::nullopt;
}

std::optional<std::string> mistake_in_run_id(std::string_view run_id) {
  const auto allowed = [](char c) { return is_ascii_alphanumeric(c) || c == '_' || c == '-'; };
  if (!run_id.empty() && run_id.size() <= 256 && is_ascii_alphanumeric(run_id[0]) &&
      std::all_of(run_id.begin(), run_id.end(), allowed)) {
    return std::nullopt;
  }
  return fmt::format("{} is no run id: 1 to 256 letters, digits, '_' and '-', a letter or digit first",
                     printable(run_id));
}

std::optional<std::string> mistake_in_experiment_name(std::string_view name) {
  if (name.empty()) return "an experiment needs a name";
  if (!is_valid_utf8(name)) return fmt::format("experiment {}: the name is not valid UTF-8", printable(name));
  if (characters(name) > experiment_name_length) {
    return fmt::format("experiment {}: the name exceeds the maximum length of {} characters", printable(name),
                       experiment_name_length);
  }
  return std::nullopt;
}

std::int64_t experiment_number(const std::string& experiment_id) {
  std::int64_t number = 0;
  const char* end = experiment_id.data() + experiment_id.size();
  const auto [stop, error] = std::from_chars(experiment_id.data(), end, number);
  if (error == std::errc() && stop == end) return number;
  throw bad_input("Invalid experiment ID {}. Experiment ID must be a valid integer.", printable(experiment_id));
}

bool cut_long_values() {
  const char* text = std::getenv("MLFLOW_TRUNCATE_LONG_VALUES");
  if (text == nullptr) return true;
  std::string word(text);
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word != "false" && word != "0";
}

}  // namespace lockstep::history::limits
