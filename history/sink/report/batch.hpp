// What goes into one runs/log-batch, cut from a journal's entries.
#pragma once

#include <deque>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "history/sink/journal.hpp"

namespace lockstep::history::report {

// A place in a journal: before item `item` of the entry `sequence`. Items of an entry are its metrics, then its
// parameters, then its tags.
struct Position {
  std::int64_t sequence = 0;
  std::int64_t item = 0;
  auto operator<=>(const Position&) const = default;
};

// MLflow's, less the one tag that says how far the journal was taken.
struct BatchLimits {
  std::size_t metrics = 1000;
  std::size_t params = 100;
  std::size_t tags = 99;
  std::size_t all = 999;
  std::optional<Position> end = {};  // no further than here
};

struct Batch {
  nlohmann::json metrics = nlohmann::json::array();
  nlohmann::json params = nlohmann::json::array();
  nlohmann::json tags = nlohmann::json::array();
  Position end;  // where the next one begins
  std::size_t items() const { return metrics.size() + params.size() + tags.size(); }
};

// As much as fits, from `from` on; entries are in the journal's order. Parameters that the run has (`known_params`) are
// passed over: a parameter keeps its first value, and a server would refuse the batch for another. An empty batch may
// still move on: past progress, and past such parameters.
Batch cut_batch(const std::deque<JournalEntry>& entries, Position from, const std::set<std::string>& known_params,
                const BatchLimits& limits);

// How many values of metrics lie from `from` on.
std::int64_t count_metrics(const std::deque<JournalEntry>& entries, Position from);

}  // namespace lockstep::history::report
