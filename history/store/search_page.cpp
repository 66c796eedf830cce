#include "history/store/search_page.hpp"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <optional>

#include "common/digest.hpp"
#include "common/error.hpp"

namespace lockstep::history {

void add_sort(std::vector<SortColumn>& columns, std::string rank, std::string value, SqlType type, bool ascending) {
  columns.push_back({std::move(rank), SqlType::integer, true});
  columns.push_back({std::move(value), type, ascending});
}

std::string order_by(std::span<const SortColumn> columns) {
  std::string all;
  for (const SortColumn& each : columns) {
    all += fmt::format("{}{}{}", all.empty() ? "" : ", ", each.expression, each.ascending ? "" : " DESC");
  }
  return all;
}

std::string expressions(std::span<const SortColumn> columns) {
  std::string all;
  for (const SortColumn& each : columns) all += (all.empty() ? "" : ", ") + each.expression;
  return all;
}

SqlValue value_at(const Query& row, int column, SqlType type) {
  if (row.is_null(column)) return {};
  if (type == SqlType::integer) return row.integer(column);
  if (type == SqlType::real) return row.real(column);
  return row.text(column);
}

std::vector<SqlValue> values_at(const Query& row, int first_column, std::span<const SortColumn> columns) {
  std::vector<SqlValue> values;
  for (const SortColumn& each : columns) values.push_back(value_at(row, first_column++, each.type));
  return values;
}

// (a, b, c) after (1, 2, 3) is: a > 1 OR (a = 1 AND (b > 2 OR (b = 2 AND c > 3))), from the inside to the outside. A
// value of NULL is that of all rows with the same rank, so it says nothing. The first column is said once more, as a
// bound that an index can use.
Sql comes_after(std::span<const SortColumn> columns, std::span<const SqlValue> values) {
  Sql all;
  for (std::size_t i = columns.size(); i-- > 0;) {
    if (std::holds_alternative<std::monostate>(values[i])) continue;
    const auto& [expression, type, ascending] = columns[i];
    Sql outer = sql(fmt::format("({} {} ?", expression, ascending ? ">" : "<"), values[i]);
    if (!all.text.empty()) {
      outer += sql(fmt::format(" OR ({} = ? AND ", expression), values[i]);
      outer += all;
      outer += ")";
    }
    outer += ")";
    all = std::move(outer);
  }
  Sql bound = sql(fmt::format("{} {} ? AND ", columns[0].expression, columns[0].ascending ? ">=" : "<="), values[0]);
  bound += all;
  return bound;
}

static void add_part(std::string& all, std::string_view part) { all += fmt::format("{}:{}", part.size(), part); }

static std::string text_of(const Clause& clause) {
  if (const auto* number = std::get_if<double>(&clause.value)) return fmt::format("n{}", *number);
  if (const auto* text = std::get_if<std::string>(&clause.value)) return "t" + *text;
  std::string all = "l";
  for (const auto& each : std::get<std::vector<std::string>>(clause.value)) add_part(all, each);
  return all;
}

static std::string digest_of(const Search& search) {
  std::string all = fmt::format("{}/{}/{}/{}/{}/", static_cast<int>(search.view), search.experiment_ids.size(),
                                search.clauses.size(), search.order.size(), search.datasets.size());
  for (const auto& id : search.experiment_ids) add_part(all, id);
  for (const Clause& each : search.clauses) {
    all += fmt::format("{},{},", static_cast<int>(each.field), static_cast<int>(each.comparison));
    add_part(all, each.key);
    add_part(all, text_of(each));
  }
  for (const SortKey& each : search.order) {
    all += fmt::format("{},{},", static_cast<int>(each.field), each.ascending);
    for (const auto& part : {each.key, each.dataset_name, each.dataset_digest}) add_part(all, part);
  }
  for (const KeyValue& each : search.datasets) {
    add_part(all, each.key);
    add_part(all, each.value);
  }
  return sha256_hex(all).substr(0, 16);
}

// ".n" for NULL, ".i" and ".r" with the 64 bits of a number, ".t" with the bytes of a text, all in hexadecimal.
std::string page_token(const Search& search, std::span<const SqlValue> values) {
  std::string token = digest_of(search);
  for (const SqlValue& value : values) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      token += fmt::format(".i{:016x}", static_cast<std::uint64_t>(*integer));
    } else if (const auto* real = std::get_if<double>(&value)) {
      token += fmt::format(".r{:016x}", std::bit_cast<std::uint64_t>(*real));
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      token += ".t";
      for (const char c : *text) token += fmt::format("{:02x}", static_cast<unsigned char>(c));
    } else {
      token += ".n";
    }
  }
  return token;
}

static std::optional<std::uint64_t> hexadecimal(std::string_view digits) {
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  if (error != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
  return number;
}

static std::optional<SqlValue> text_in(std::string_view digits) {
  std::string text;
  if (digits.size() % 2 != 0) return std::nullopt;
  for (; !digits.empty(); digits.remove_prefix(2)) {
    const auto byte = hexadecimal(digits.substr(0, 2));
    if (!byte) return std::nullopt;
    text += static_cast<char>(*byte);
  }
  return text;
}

static std::optional<SqlValue> value_in(std::string_view field, SqlType type) {
  if (field == "n") return SqlValue();
  const std::string_view letters = "irt";
  if (field.empty() || field[0] != letters[static_cast<std::size_t>(type)]) return std::nullopt;
  field.remove_prefix(1);
  if (type == SqlType::text) return text_in(field);
  const auto bits = hexadecimal(field);
  if (!bits || field.size() != 16) return std::nullopt;
  if (type == SqlType::integer) return static_cast<std::int64_t>(*bits);
  return std::bit_cast<double>(*bits);
}

static bool is_complete(std::span<const SqlValue> values) {
  return !std::holds_alternative<std::monostate>(values.front()) &&
         !std::holds_alternative<std::monostate>(values.back());
}

std::vector<SqlValue> values_of_token(const Search& search, std::span<const SortColumn> columns) {
  std::string_view rest = search.page_token;
  if (rest.empty()) return {};
  const std::string digest = digest_of(search);
  if (!rest.starts_with(digest)) throw bad_input("Invalid page token: it is of another search");
  rest.remove_prefix(digest.size());
  std::vector<SqlValue> values;
  for (const SortColumn& column : columns) {
    if (!rest.starts_with('.')) break;
    rest.remove_prefix(1);
    const std::string_view field = rest.substr(0, rest.find('.'));
    rest.remove_prefix(field.size());
    auto value = value_in(field, column.type);
    if (!value) break;
    values.push_back(std::move(*value));
  }
  if (values.size() != columns.size() || !rest.empty() || !is_complete(values)) {
    throw bad_input("Invalid page token: it was changed on its way");
  }
  return values;
}

void check_page_length(int max_results, int most) {
  if (max_results >= 1 && max_results <= most) return;
  throw bad_input("Invalid value {} for parameter 'max_results' supplied. It must be {}", max_results,
                  max_results < 1 ? "a positive integer" : fmt::format("at most {}", most));
}

}  // namespace lockstep::history
