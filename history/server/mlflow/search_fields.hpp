// The fields that every search of MLflow's API has.
#pragma once

#include "history/search/filter.hpp"
#include "history/server/mlflow/fields.hpp"

namespace lockstep::history::server::mlflow {

// filter, order_by, max_results and page_token.
inline Search search_in(const Fields& fields, Kind kind, int results_by_default, int most_results) {
  Search search;
  search.clauses = parse_filter(kind, fields.text("filter"));
  search.max_results = fields.max_results(results_by_default, most_results);
  search.order = parse_order_by(kind, fields.texts("order_by"));
  search.page_token = fields.text("page_token");
  return search;
}

}  // namespace lockstep::history::server::mlflow
