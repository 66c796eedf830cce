#include "history/sink/report/batch.hpp"

#include <algorithm>
#include <cmath>

namespace lockstep::history::report {

using nlohmann::json;

namespace {
// As MLflow's client spells what JSON has no number for.
json number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

json pair(const std::string& key, const std::string& value) { return {{"key", key}, {"value", value}}; }

auto find_key(json& pairs, const std::string& key) {
  return std::find_if(pairs.begin(), pairs.end(), [&](const json& each) { return each["key"] == key; });
}

class Cutter {
 public:
  Cutter(const std::set<std::string>& known_params, const BatchLimits& limits, Position from)
      : known_params_(known_params), limits_(limits) {
    batch.end = from;
  }

  // False: the batch is full.
  bool take(const JournalEntry& entry) {
    if (limits_.end && batch.end >= *limits_.end) return false;
    std::int64_t item = 0;
    const std::int64_t skipped = entry.sequence == batch.end.sequence ? batch.end.item : 0;
    const auto all = [&](const auto& values, auto take_one) {
      return std::all_of(values.begin(), values.end(), [&](const auto& each) {
        if (item++ < skipped) return true;
        if (limits_.end && Position{entry.sequence, item} > *limits_.end) return false;
        if (!take_one(each.first, each.second)) return false;
        batch.end = {entry.sequence, item};
        return true;
      });
    };
    const bool whole =
        all(entry.metrics, [&](const auto& key, double value) { return take_metric(entry, key, value); }) &&
        all(entry.params, [&](const auto& key, const auto& value) { return take_param(key, value); }) &&
        all(entry.tags, [&](const auto& key, const auto& value) { return take_tag(key, value); });
    if (whole) batch.end = {entry.sequence + 1, 0};
    return whole;
  }

  Batch batch;

 private:
  bool has_room(const json& list, std::size_t most) const { return list.size() < most && batch.items() < limits_.all; }

  bool take_metric(const JournalEntry& entry, const std::string& key, double value) {
    if (!has_room(batch.metrics, limits_.metrics)) return false;
    batch.metrics.push_back(
        {{"key", key}, {"value", number(value)}, {"timestamp", entry.timestamp_ms}, {"step", entry.step}});
    return true;
  }
  bool take_param(const std::string& key, const std::string& value) {
    if (known_params_.contains(key) || find_key(batch.params, key) != batch.params.end()) return true;
    if (!has_room(batch.params, limits_.params)) return false;
    batch.params.push_back(pair(key, value));
    return true;
  }
  bool take_tag(const std::string& key, const std::string& value) {
    if (const auto same = find_key(batch.tags, key); same != batch.tags.end()) {
      (*same)["value"] = value;
      return true;
    }
    if (!has_room(batch.tags, limits_.tags)) return false;
    batch.tags.push_back(pair(key, value));
    return true;
  }

  const std::set<std::string>& known_params_;
  const BatchLimits& limits_;
};
}  // namespace

Batch cut_batch(const std::deque<JournalEntry>& entries, Position from, const std::set<std::string>& known_params,
                const BatchLimits& limits) {
  Cutter cutter(known_params, limits, from);
  for (const JournalEntry& entry : entries) {
    if (entry.sequence >= from.sequence && !cutter.take(entry)) break;
  }
  return std::move(cutter.batch);
}

std::int64_t count_metrics(const std::deque<JournalEntry>& entries, Position from) {
  std::int64_t count = 0;
  for (const JournalEntry& entry : entries) {
    if (entry.sequence < from.sequence) continue;
    const auto size = static_cast<std::int64_t>(entry.metrics.size());
    count += entry.sequence == from.sequence ? std::max<std::int64_t>(size - from.item, 0) : size;
  }
  return count;
}

}  // namespace lockstep::history::report
