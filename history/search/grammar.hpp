// What can be searched for in each kind of thing: one table of names, values and comparisons for each.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "history/search/filter.hpp"

namespace lockstep::history {

// One bit for each Comparison.
using Comparisons = std::uint32_t;
constexpr bool has_comparison(Comparisons set, Comparison one) { return (set >> static_cast<unsigned>(one) & 1U) != 0; }
std::string_view text_of(Comparison comparison);  // "<=", "NOT IN"
std::string text_of(Comparisons set);             // "{'!=', '<', ...}", as Python prints a set

enum class ValueType { text, number, integer, integer_or_text };

struct Attribute {
  std::string_view name;
  ValueType type = ValueType::text;
  Comparisons comparisons = 0;  // none: nothing can be filtered by it
  bool sortable = true;
};
struct Alias {
  std::string_view alias;
  std::string_view name;
};
struct Prefix {
  std::string_view text;
  Field field;
};

struct Grammar {
  std::span<const Prefix> prefixes;
  std::string_view valid_prefixes;  // for the error
  std::span<const Attribute> attributes;
  std::span<const Alias> aliases;
  Comparisons metrics = 0;
  Comparisons params = 0;
  Comparisons tags = 0;
  Comparisons datasets = 0;
  std::span<const Field> sort_fields;  // that sort, beside attributes
  bool takes_bare_values = false;      // params.lr = 0.01 compares with the text '0.01'
};
const Grammar& grammar_of(Kind kind);

std::string python_set_of(std::vector<std::string_view> names);  // "{'a', 'b'}", for errors

}  // namespace lockstep::history
