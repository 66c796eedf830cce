// What all searches of the store have in common: a clause as a condition in SQL. What somebody asks for is only
// ever bound; the text is made of this program's own names.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "history/store/database.hpp"
#include "history/store/search.hpp"

namespace lockstep::history {

struct Pattern {
  std::string like;
};
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string, Pattern>;  // monostate: NULL

// A piece of SQL with what its question marks stand for, in their order.
struct Sql {
  std::string text;
  std::vector<SqlValue> values;

  Sql& operator+=(std::string_view more) {
    text += more;
    return *this;
  }
  Sql& operator+=(const Sql& more);
  Query prepare(Database& database) const;  // everything is bound
};

template <class... Values>
Sql sql(std::string_view text, Values&&... values) {
  return {std::string(text), {SqlValue(std::forward<Values>(values))...}};
}

// A table of (owner, key, value), at most one row for each owner and key.
struct SideTable {
  std::string_view table;
  std::string_view owner;             // the column
  std::string_view index = {};        // "INDEXED BY ...", where SQLite would choose a slower one
  bool null_is_not_a_number = false;  // a value of NULL is NaN
};

// "<left> = ?" and its kin. The clause is false where `left` is NULL, but for is_null.
// bad_input: a pattern that is too long.
Sql condition(std::string_view left, const Clause& clause);

// "<left> IN (...)" for any number of values.
Sql is_one_of(std::string_view left, const std::vector<std::string>& texts);
Sql is_one_of(std::string_view left, const std::vector<std::int64_t>& numbers);

// The clause about key and value, of the owner that `owner` names ("r.number").
Sql has(const SideTable& table, std::string_view owner, const Clause& clause);

// "SELECT owner FROM table AS listed ...": all for which `has` is true. Further conditions may be added at its end. Not
// for is_null, which is true of those that have no row.
constexpr std::string_view owners_table = "listed";
Sql owners(const SideTable& table, const Clause& clause);

}  // namespace lockstep::history
