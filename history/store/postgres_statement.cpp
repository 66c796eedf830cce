#include "history/store/postgres_statement.hpp"

#include <charconv>
#include <cmath>

#include "common/error.hpp"
#include "common/utf8.hpp"

namespace lockstep::history {

// Of the system table pg_type, where they never change.
static constexpr Oid int8_type = 20;
static constexpr Oid text_type = 25;
static constexpr Oid float8_type = 701;

PostgresStatement::PostgresStatement(PostgresDatabase& database, PostgresSql sql, std::string name)
    : database_(database),
      sql_(std::move(sql)),
      name_(std::move(name)),
      parameters_(static_cast<std::size_t>(sql_.parameters), {.type = int8_type, .text = {}}) {
}  // also of those that the text leaves out

void PostgresStatement::bind(int parameter, std::optional<std::int64_t> value) {
  at(parameter) = {int8_type, value ? std::to_string(*value) : std::string(), !value};
}

void PostgresStatement::bind(int parameter, double value) {
  if (std::isnan(value)) {
    at(parameter) = {float8_type, {}, true};
  } else if (std::isinf(value)) {
    at(parameter) = {float8_type, value < 0 ? "-Infinity" : "Infinity", false};
  } else {
    at(parameter) = {float8_type, fmt::format("{}", value), false};
  }
}

void PostgresStatement::bind(int parameter, std::string_view value) {
  if (value.find('\0') != std::string_view::npos) {
    throw bad_input("a text with a zero byte: PostgreSQL, where this history is kept, has no place for one");
  }
  at(parameter) = {text_type, replace_invalid_utf8(value), false};
}

// Types are said, for what PostgreSQL would guess is not always what we bind.
void PostgresStatement::prepare() {
  std::vector<Oid> types;
  for (const Parameter& each : parameters_) types.push_back(each.type);
  database_.answer([&] {
    return PQsendPrepare(database_.connection(), name_.c_str(), sql_.text.c_str(), static_cast<int>(types.size()),
                         types.data());
  });
  prepared_on_ = database_.connection_number();
}

void PostgresStatement::execute() {
  if (sql_.reads_metrics) database_.send_rows();
  std::vector<Oid> types;
  std::vector<const char*> values;
  for (const Parameter& each : parameters_) {
    types.push_back(each.type);
    values.push_back(each.is_null ? nullptr : each.text.c_str());
  }
  const int count = static_cast<int>(values.size());
  if (name_.empty()) {
    result_ = database_.answer([&] {
      return PQsendQueryParams(database_.connection(), sql_.text.c_str(), count, types.data(), values.data(), nullptr,
                               nullptr, 0);
    });
    return;
  }
  result_ = database_.answer([&] {
    if (prepared_on_ != database_.connection_number()) prepare();
    return PQsendQueryPrepared(database_.connection(), name_.c_str(), count, values.data(), nullptr, nullptr, 0);
  });
}

bool PostgresStatement::step() {
  if (!result_) {
    execute();
    row_ = -1;
  }
  if (row_ + 1 >= PQntuples(result_.get())) return false;
  ++row_;
  return true;
}

std::string_view PostgresStatement::bytes(int column) const {
  return {PQgetvalue(result_.get(), row_, column), static_cast<std::size_t>(PQgetlength(result_.get(), row_, column))};
}

template <class Number>
static Number number_in(std::string_view text) {
  Number number = 0;
  if (text.empty()) return number;  // NULL
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) throw failure("PostgreSQL gave '{}' where a number was asked for", text);
  return number;
}

std::int64_t PostgresStatement::integer(int column) const { return number_in<std::int64_t>(bytes(column)); }
double PostgresStatement::real(int column) const { return number_in<double>(bytes(column)); }

}  // namespace lockstep::history
