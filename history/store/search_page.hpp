// Pages of a search. A page begins after the values by which the last thing of the page before it was sorted, not after
// so many things: so nothing is given twice or left out when others are added in between.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "history/store/search_sql.hpp"

namespace lockstep::history {

enum class SqlType { integer, real, text };

struct SortColumn {
  std::string expression;
  SqlType type = SqlType::integer;
  bool ascending = true;
};

// Sorts by `value`, and what has none comes last, whichever way. `rank` is 0 for what has a value, and where it isn't,
// the value is NULL.
void add_sort(std::vector<SortColumn>& columns, std::string rank, std::string value, SqlType type, bool ascending);

std::string order_by(std::span<const SortColumn> columns);     // "a, b DESC"; the last must be unique
std::string expressions(std::span<const SortColumn> columns);  // "a, b"
SqlValue value_at(const Query& row, int column, SqlType type);
std::vector<SqlValue> values_at(const Query& row, int first_column, std::span<const SortColumn> columns);

// The condition that a row comes after these values.
Sql comes_after(std::span<const SortColumn> columns, std::span<const SqlValue> values);

// The token of the page after these values. It names the search, but for max_results, which may change from page to
// page.
std::string page_token(const Search& search, std::span<const SqlValue> values);
// Empty without a token. bad_input: no token, or one of another search.
std::vector<SqlValue> values_of_token(const Search& search, std::span<const SortColumn> columns);

// bad_input, in MLflow's words, unless max_results is 1 to `most`.
void check_page_length(int max_results, int most);

}  // namespace lockstep::history
