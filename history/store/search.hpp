// A search in MLflow's terms, already parsed (history/search/ reads the text): what every kind of thing that can be
// searched for has in common.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "history/store/values.hpp"

namespace lockstep::history {

enum class Comparison {
  equal,
  not_equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  like,
  ilike,
  in,
  not_in,
  is_null,
  is_not_null
};

// What the left side of a clause, or a sort key, names. `attribute`: the thing's own fields, by their canonical names
// ("start_time", "run_name"); the parser has resolved aliases and refused what the thing does not have.
enum class Field { attribute, metric, param, tag, dataset };

// `metrics.loss < 0.1`. Numbers for metrics and numeric attributes; a list for in and not_in; empty text for is_null.
struct Clause {
  Field field = Field::attribute;
  std::string key;
  Comparison comparison = Comparison::equal;
  std::variant<double, std::string, std::vector<std::string>> value;
  bool operator==(const Clause&) const = default;
};

struct SortKey {
  Field field = Field::attribute;
  std::string key;
  bool ascending = true;
  std::string dataset_name;  // logged models: of the metric; empty: any
  std::string dataset_digest;
  bool operator==(const SortKey&) const = default;
};

struct Search {
  std::vector<std::string> experiment_ids;  // empty: none for runs and logged models; not looked at by others
  std::vector<Clause> clauses;              // all must hold
  std::vector<SortKey> order;               // empty: the thing's own order
  View view = View::active_only;
  std::vector<KeyValue> datasets;  // logged models: (name, digest), one of which its metrics must be on; empty: any
  int max_results = 1000;
  std::string page_token;  // empty: from the first. A token of another search is refused with bad_input
};

}  // namespace lockstep::history
