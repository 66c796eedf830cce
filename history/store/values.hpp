// What is kept under a name: metrics with steps and times, parameters and tags.
#pragma once

#include <cstdint>
#include <string>

namespace lockstep::history {

struct KeyValue {
  std::string key;
  std::string value;
  bool operator==(const KeyValue&) const = default;
};

struct Metric {
  std::string key;
  double value = 0;  // may be NaN or infinite
  std::int64_t timestamp_ms = 0;
  std::int64_t step = 0;
  bool operator==(const Metric&) const = default;
};

// What a committed transaction survives. The write-ahead log is synced as a whole, so a power_loss commit also covers
// every earlier commit.
enum class Survives { process_death, power_loss };

enum class Lifecycle { active, archived };  // archived is MLflow's "deleted" and Azure ML's "archived"
enum class View { active_only, archived_only, all };

}  // namespace lockstep::history
