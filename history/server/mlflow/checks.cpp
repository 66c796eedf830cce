#include "history/server/mlflow/checks.hpp"

#include <fmt/ranges.h>

#include <set>

#include "common/utf8.hpp"
#include "history/server/mlflow/error.hpp"
#include "history/server/mlflow/fields.hpp"
#include "history/store/limits.hpp"

namespace lockstep::history::server::mlflow {

static std::string at(const std::string& place, const char* member) {
  return place.empty() ? member : fmt::format("{}.{}", place, member);
}

// posixpath.normpath, which the message quotes: without ".", "..", and empty parts where they can be resolved.
static std::string normal_path(const std::string& name) {
  const bool absolute = name.starts_with('/');
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= name.size()) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string part = name.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (part != ".." || !absolute) {
      parts.push_back(part);
    }
  }
  std::string path = (absolute ? "/" : "") + fmt::format("{}", fmt::join(parts, "/"));
  return path.empty() ? "." : path;
}

void check_name(const std::string& name, const std::string& place) {
  switch (limits::fault_in_name(name)) {
    case limits::NameFault::none:
    case limits::NameFault::length:  // has its own check, and message
      return;
    case limits::NameFault::missing:
      missing_value(place);
    case limits::NameFault::characters:
      invalid_value(place, name,
                    "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), "
                    "colon(:) and slashes (/).");
    case limits::NameFault::path:
      invalid_value(place, name,
                    fmt::format("Names may be treated as files in certain cases, and must not resolve to other names "
                                "when treated as such. This name would resolve to '{}'",
                                normal_path(name)));
  }
}

void check_length(const std::string& what, std::size_t limit, const std::string& text) {
  if (characters(text) > limit) {
    throw invalid_parameter("'{}' exceeds the maximum length of {} characters", what, limit);
  }
}

void check_metric(const Metric& metric, const std::string& place) {
  check_name(metric.key, at(place, "name"));
  if (metric.timestamp_ms < 0) {
    invalid_value(at(place, "timestamp"), metric.timestamp_ms,
                  fmt::format("metric '{}' (value={:#}). Timestamp must be a nonnegative long (64-bit integer) ",
                              metric.key, metric.value));
  }
  check_length("Metric name", limits::key_length, metric.key);
}

static void check_pair(KeyValue& pair, std::size_t limit, const std::string& place, const std::string& key_name,
                       const std::string& value_name) {
  check_name(pair.key, at(place, "key"));
  check_length(key_name, limits::key_length, pair.key);
  if (!is_valid_utf8(pair.value)) pair.value = replace_invalid_utf8(pair.value);
  const std::string_view kept = first_characters(pair.value, limit);
  if (kept.size() == pair.value.size()) return;
  if (!limits::cut_long_values()) check_length(value_name, limit, pair.value);
  pair.value.resize(kept.size());
}

void check_param(KeyValue& param, const std::string& place) {
  check_pair(param, limits::param_length, place, "Param key", "Param value");
}

void check_tag(KeyValue& tag, const std::string& place) {
  check_pair(tag, limits::tag_length, place, at(place, "key"), at(place, "value"));
}

static void check_batch_limit(const char* what, std::size_t limit, std::size_t count) {
  if (count <= limit) return;
  throw invalid_parameter(
      "A batch logging request can contain at most {0} {1}. Got {2} {1}. Please split up {1} across multiple requests "
      "and try again.",
      limit, what, count);
}

void check_batch_limits(std::size_t metrics, std::size_t params, std::size_t tags) {
  check_batch_limit("metrics", 1000, metrics);
  check_batch_limit("params", 100, params);
  check_batch_limit("tags", 100, tags);
  check_batch_limit("metrics, params, and tags", 1000, metrics + params + tags);
}

void check_params_unique(const std::vector<KeyValue>& params) {
  std::set<std::string_view> seen;
  std::vector<std::string> twice;
  for (const KeyValue& each : params) {
    if (!seen.insert(each.key).second) twice.push_back(fmt::format("'{}'", each.key));
  }
  if (twice.empty()) return;
  throw invalid_parameter(
      "Duplicate parameter keys have been submitted: [{}]. Please ensure the request contains only one param value per "
      "param key.",
      fmt::join(twice, ", "));
}

void check_experiment_tag(const KeyValue& tag) {
  check_name(tag.key, "key");
  check_length("key", limits::key_length, tag.key);
  check_length("value", limits::experiment_tag_length, tag.value);
}

void check_experiment_name(const std::string& name) {
  if (!is_valid_utf8(name)) invalid_value("name", name, "It is not valid UTF-8");
  check_length("name", limits::experiment_name_length, name);
}

}  // namespace lockstep::history::server::mlflow
