#include <algorithm>

#include "common/error.hpp"
#include "common/utf8.hpp"
#include "history/search/filter.hpp"
#include "history/search/name.hpp"

namespace lockstep::history {

static SortKey sort_key_of(const Grammar& grammar, std::string_view text) {
  if (text.size() > longest_filter) {
    throw bad_input("an order_by clause may have {} bytes; this one has {}", longest_filter, text.size());
  }
  const std::vector<Token> tokens = tokens_of(Use::sort, text);
  std::size_t next = 0;
  Name name = read_name(grammar, Use::sort, tokens, next);
  SortKey key{name.field, std::move(name.key), true, {}, {}};
  if (is_keyword(tokens[next], "asc") || is_keyword(tokens[next], "desc")) {
    key.ascending = is_keyword(tokens[next++], "asc");
  }
  if (tokens[next].kind != TokenKind::end) {
    throw bad_input("Invalid order_by clause '{}'. Could not be parsed.", first_characters(text, 200));
  }
  const auto& fields = grammar.sort_fields;
  if (key.field != Field::attribute && std::find(fields.begin(), fields.end(), key.field) == fields.end()) {
    throw bad_input("Invalid order_by entity: {}", word_for(key.field));
  }
  return key;
}

std::vector<SortKey> parse_order_by(Kind kind, const std::vector<std::string>& texts) {
  if (texts.size() > most_sort_keys) {
    throw bad_input("`order_by` may have {} fields; this one has {}", most_sort_keys, texts.size());
  }
  std::vector<SortKey> keys;
  for (const std::string& text : texts) {
    SortKey key = sort_key_of(grammar_of(kind), text);
    for (const SortKey& before : keys) {
      if (before.field == key.field && before.key == key.key) {
        throw bad_input("`order_by` contains duplicate fields: '{}'", first_characters(text, 200));
      }
    }
    keys.push_back(std::move(key));
  }
  return keys;
}

SortKey logged_model_sort_key(std::string_view field_name, bool ascending) {
  const Grammar& grammar = grammar_of(Kind::logged_models);
  const std::size_t dot = field_name.find('.');
  if (dot == std::string_view::npos) {
    const Attribute& attribute = attribute_named(grammar, Use::sort, field_name);
    return {Field::attribute, std::string(attribute.name), ascending, {}, {}};
  }
  if (field_name.substr(0, dot) != "metrics") {
    throw bad_input("Invalid order by field name: {}. Only metrics are supported.", field_name);
  }
  return {Field::metric, std::string(field_name.substr(dot + 1)), ascending, {}, {}};
}

}  // namespace lockstep::history
