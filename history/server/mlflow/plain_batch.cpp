#include <simdjson.h>

#include "history/server/mlflow/batch.hpp"
#include "history/store/limits.hpp"

namespace lockstep::history::server::mlflow {

namespace {
using simdjson::ondemand::object;
using simdjson::ondemand::value;

// Each takes one value, or says that it is not of the plain kind.
bool take(value from, std::string& to) {
  std::string_view text;
  if (from.get_string().get(text) != simdjson::SUCCESS) return false;
  to = text;
  return true;
}
bool take(value from, std::int64_t& to) { return from.get_int64().get(to) == simdjson::SUCCESS; }
bool take(value from, double& to) { return from.get_double().get(to) == simdjson::SUCCESS; }

// Calls `member(key, value)` for each member, until one returns false.
template <class Member>
bool each_member(object of, const Member& member) {
  for (auto field : of) {
    std::string_view key;
    value of_key;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
    if (field.value().get(of_key) != simdjson::SUCCESS) return false;
    if (!member(key, of_key)) return false;
  }
  return true;
}

template <class Element>
bool each_object(value list, const Element& element) {
  simdjson::ondemand::array array;
  if (list.get_array().get(array) != simdjson::SUCCESS) return false;
  for (auto each : array) {
    object one;
    if (each.get_object().get(one) != simdjson::SUCCESS) return false;
    if (!element(one)) return false;
  }
  return true;
}

bool take_metric(object from, Batch& batch) {
  Metric metric;
  int needed = 0;  // of key, value and timestamp
  const bool plain = each_member(from, [&](std::string_view key, value of_key) {
    if (key == "key") return ++needed, take(of_key, metric.key);
    if (key == "value") return ++needed, take(of_key, metric.value);
    if (key == "timestamp") return ++needed, take(of_key, metric.timestamp_ms);
    return key == "step" && take(of_key, metric.step);  // what names a model or a dataset is rare
  });
  if (!plain || needed != 3 || metric.key.empty()) return false;
  batch.metrics.push_back(std::move(metric));
  return true;
}

bool take_pair(object from, std::vector<KeyValue>& pairs) {
  KeyValue pair;
  const bool plain = each_member(from, [&](std::string_view key, value of_key) {
    if (key == "key") return take(of_key, pair.key);
    return key == "value" && take(of_key, pair.value);
  });
  if (!plain || pair.key.empty()) return false;
  pairs.push_back(std::move(pair));
  return true;
}

bool take_batch(object from, Batch& batch) {
  return each_member(from, [&](std::string_view key, value of_key) {
    if (key == "run_id") return take(of_key, batch.run_id);
    if (key == "metrics") return each_object(of_key, [&](object one) { return take_metric(one, batch); });
    if (key == "params") return each_object(of_key, [&](object one) { return take_pair(one, batch.params); });
    return key == "tags" && each_object(of_key, [&](object one) { return take_pair(one, batch.tags); });
  });
}
}  // namespace

std::optional<Batch> read_plain_batch(const std::string& body) {
  thread_local simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(body);
  simdjson::ondemand::document document;
  object whole;
  Batch batch;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return std::nullopt;
  if (document.get_object().get(whole) != simdjson::SUCCESS || !take_batch(whole, batch)) return std::nullopt;
  const bool at_end = document.current_location().error() == simdjson::OUT_OF_BOUNDS;
  if (!at_end || limits::mistake_in_run_id(batch.run_id)) return std::nullopt;
  return batch;
}

}  // namespace lockstep::history::server::mlflow
