// MLflow's filter grammar and its order_by texts, as its search_utils reads them: for each kind of thing the same
// names, comparisons and values are taken. Everything else is refused with bad_input, where possible in MLflow's words.
//
//   metrics.loss < 0.1 AND params."learning rate" = '0.01' AND tags.`mlflow.user` ILIKE 'al%' AND run_id IN ('a', 'b')
//
// Clauses are joined by AND alone. Keywords may be written small. A quote in a text or key ends it, but for a doubled
// one and one behind a backslash, which stay as they are written.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "history/store/search.hpp"

namespace lockstep::history {

enum class Kind { runs, experiments, registered_models, model_versions, logged_models };

// What a search may have; more is refused.
inline constexpr std::size_t longest_filter = std::size_t{64} * 1024;  // bytes
inline constexpr std::size_t most_clauses = 100;
inline constexpr std::size_t longest_list = 1000;  // of IN and NOT IN
inline constexpr std::size_t most_sort_keys = 30;

std::vector<Clause> parse_filter(Kind kind, std::string_view text);  // blank: no clauses

// `metrics.loss DESC`, `start_time`: one text for each key; ascending unless it says DESC.
std::vector<SortKey> parse_order_by(Kind kind, const std::vector<std::string>& texts);

// The sort key that logged models name by a field of their own, in which nothing is quoted: "metrics.top 5 accuracy".
SortKey logged_model_sort_key(std::string_view field_name, bool ascending);

}  // namespace lockstep::history
