// The two kinds of text files that an mlruns folder is made of: meta.yaml and the values of a metric.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/file.hpp"
#include "history/store/values.hpp"

namespace lockstep::history::transfer {

// A meta.yaml. Members that nobody asks for are passed over: each release of MLflow adds some. Every mistake is a
// bad_input that names file, line and column.
class MetaFile {
 public:
  MetaFile(std::string_view text, std::string name);
  static MetaFile read(const fs::path& file);

  std::string text(const char* key) const;             // "" if it is not there, or null
  std::int64_t integer(const char* key) const;         // 0
  std::vector<KeyValue> pairs(const char* key) const;  // a mapping of texts; none if it is not there
  bool has(const char* key) const;

 private:
  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& why) const;
  YAML::Node find(const char* key) const;

  std::string name_;
  YAML::Node top_;
};

// "1700000000000 0.25 3": time, value, step; without a step it is 0. What a line has more than that is in `rest`.
// nullopt: it is no such line.
struct MetricLine {
  Metric metric;  // without its key
  std::vector<std::string_view> rest;
};
std::optional<MetricLine> parse_metric_line(std::string_view line);

// The lines of a metric's file; bad_input names file and line.
class MetricLines {
 public:
  explicit MetricLines(const fs::path& file);
  std::optional<MetricLine> next();  // nullopt: that was all. `rest` holds until the next call

 private:
  fs::path file_;
  std::ifstream stream_;
  std::string line_;
  std::int64_t number_ = 0;
};

}  // namespace lockstep::history::transfer
