#include "history/store/search_sql.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/error.hpp"

namespace lockstep::history {

Sql& Sql::operator+=(const Sql& more) {
  text += more.text;
  values.insert(values.end(), more.values.begin(), more.values.end());
  return *this;
}

Query Sql::prepare(Database& database) const {
  Query query = database.prepare(text);
  int index = 0;
  for (const SqlValue& value : values) {
    ++index;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) query.bind_at(index, *integer);
    if (const auto* real = std::get_if<double>(&value)) query.bind_at(index, *real);
    if (const auto* pattern = std::get_if<Pattern>(&value)) query.bind_pattern_at(index, pattern->like);
    if (const auto* words = std::get_if<std::string>(&value)) query.bind_at(index, std::string_view(*words));
  }
  return query;
}

// A list as one value, so that the text is the same for any number of them.
static std::string list_of(const nlohmann::json& values) {
  return values.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

static std::string pattern_of(const Clause& clause) {
  constexpr std::size_t longest = 1000;  // the time to match grows with the pattern, for each row
  const auto& pattern = std::get<std::string>(clause.value);
  if (pattern.size() > longest) {
    throw bad_input("a pattern for LIKE may have {} bytes; this one has {}", longest, pattern.size());
  }
  return pattern;
}

static std::string_view sign_of(Comparison comparison) {
  switch (comparison) {
    case Comparison::equal:
      return " = ?";
    case Comparison::not_equal:
      return " <> ?";
    case Comparison::less:
      return " < ?";
    case Comparison::less_or_equal:
      return " <= ?";
    case Comparison::greater:
      return " > ?";
    case Comparison::greater_or_equal:
      return " >= ?";
    case Comparison::like:
      return " GLOB ?";
    case Comparison::ilike:
      return " LIKE ?";
    case Comparison::in:
      return " IN (SELECT value FROM json_each(?))";
    case Comparison::not_in:
      return " NOT IN (SELECT value FROM json_each(?))";
    case Comparison::is_null:
      return " IS NULL";
    case Comparison::is_not_null:
      return " IS NOT NULL";
  }
  throw failure("a comparison that this lockstep does not know");
}

Sql condition(std::string_view left, const Clause& clause) {
  Sql all = sql(left);
  all += sign_of(clause.comparison);
  switch (clause.comparison) {
    case Comparison::like:
      all.values.emplace_back(Pattern{pattern_of(clause)});
      break;
    case Comparison::ilike:
      all.values.emplace_back(pattern_of(clause));
      break;
    case Comparison::in:
    case Comparison::not_in:
      all.values.emplace_back(list_of(std::get<std::vector<std::string>>(clause.value)));
      break;
    case Comparison::is_null:
    case Comparison::is_not_null:
      break;
    default:
      if (const auto* number = std::get_if<double>(&clause.value)) {
        all.values.emplace_back(*number);
      } else {
        all.values.emplace_back(std::get<std::string>(clause.value));
      }
  }
  return all;
}

Sql is_one_of(std::string_view left, const std::vector<std::string>& texts) {
  return sql(fmt::format("{} IN (SELECT value FROM json_each(?))", left), list_of(texts));
}

Sql is_one_of(std::string_view left, const std::vector<std::int64_t>& numbers) {
  if (numbers.size() == 1) return sql(fmt::format("{} = ?", left), numbers.front());
  return sql(fmt::format("{} IN (SELECT CAST(value AS BIGINT) FROM json_each(?))", left), list_of(numbers));
}

// Every comparison with NaN is false, but for "is another".
static Sql value_condition(const SideTable& table, const Clause& clause) {
  if (clause.comparison == Comparison::is_null || clause.comparison == Comparison::is_not_null) return {};
  Sql value = sql(" AND (");
  const auto* text = std::get_if<std::string>(&clause.value);
  if (text != nullptr && clause.comparison == Comparison::equal) {
    value += sql("substr(value, 1, 200) = substr(?, 1, 200) AND ", *text);  // what PostgreSQL's index holds
  }
  value += condition("value", clause);
  if (table.null_is_not_a_number && clause.comparison == Comparison::not_equal) value += " OR value IS NULL";
  value += ")";
  return value;
}

Sql has(const SideTable& table, std::string_view owner, const Clause& clause) {
  const bool wanted = clause.comparison != Comparison::is_null;
  Sql all = sql(fmt::format("{} (SELECT 1 FROM {} {} WHERE {} = {} AND key = ?", wanted ? "EXISTS" : "NOT EXISTS",
                            table.table, table.index, table.owner, owner),
                clause.key);
  all += value_condition(table, clause);
  all += ")";
  return all;
}

Sql owners(const SideTable& table, const Clause& clause) {
  Sql all =
      sql(fmt::format("SELECT {} FROM {} AS {} {} WHERE key = ?", table.owner, table.table, owners_table, table.index),
          clause.key);
  all += value_condition(table, clause);
  return all;
}

}  // namespace lockstep::history
