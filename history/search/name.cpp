#include "history/search/name.hpp"

#include <vector>

#include "common/error.hpp"
#include "common/utf8.hpp"

namespace lockstep::history {

std::string_view word_for(Field field) {
  switch (field) {
    case Field::attribute:
      return "attribute";
    case Field::metric:
      return "metric";
    case Field::param:
      return "parameter";
    case Field::tag:
      return "tag";
    case Field::dataset:
      return "dataset";
  }
  return "";
}

static bool is_for(const Attribute& attribute, Use use) {
  return use == Use::sort ? attribute.sortable : attribute.comparisons != 0;
}

const Attribute& attribute_named(const Grammar& grammar, Use use, std::string_view name) {
  std::string_view canonical = name;
  for (const Alias& each : grammar.aliases) {
    if (each.alias == name) canonical = each.name;
  }
  std::vector<std::string_view> valid;
  for (const Attribute& each : grammar.attributes) {
    if (!is_for(each, use)) continue;
    if (each.name == canonical) return each;
    valid.push_back(each.name);
  }
  throw bad_input("Invalid attribute key '{}' specified. Valid keys are '{}'", name, python_set_of(std::move(valid)));
}

static Field field_of(const Grammar& grammar, std::string_view prefix) {
  for (const Prefix& each : grammar.prefixes) {
    if (each.text == prefix) return each.field;
  }
  throw bad_input("Invalid entity type '{}'. {}", prefix, grammar.valid_prefixes);
}

static bool is_quoted_key(const Token& token) {
  return token.kind == TokenKind::double_quoted || token.kind == TokenKind::backticked;
}

void refuse(Use use, const Token& token) {
  if (token.kind == TokenKind::end) throw bad_input("Invalid clause(s) in {}: it ends in mid-clause", name_of(use));
  throw bad_input("Invalid clause(s) in {}: '{}'", name_of(use), first_characters(token.source, 200));
}

// What follows the prefix: one quoted key, or words with dots between them.
static std::string read_key(Use use, std::span<const Token> tokens, std::size_t& next) {
  if (is_quoted_key(tokens[next])) return std::string(tokens[next++].text);
  std::string key;
  while (true) {
    if (tokens[next].kind != TokenKind::word) refuse(use, tokens[next]);
    key += tokens[next++].text;
    if (tokens[next].kind != TokenKind::dot) return key;
    key += '.';
    ++next;
  }
}

Name read_name(const Grammar& grammar, Use use, std::span<const Token> tokens, std::size_t& next) {
  if (tokens[next].kind != TokenKind::word && !is_quoted_key(tokens[next])) refuse(use, tokens[next]);
  const Token& first = tokens[next++];
  Name name;
  name.key = first.text;
  if (tokens[next].kind == TokenKind::dot) {
    name.field = field_of(grammar, first.kind == TokenKind::double_quoted ? first.source : first.text);
    name.key = read_key(use, tokens, ++next);
  }
  if (name.field == Field::attribute) {
    name.attribute = &attribute_named(grammar, use, name.key);
    name.key = name.attribute->name;
  }
  if (name.field == Field::dataset && name.key != "name" && name.key != "digest" && name.key != "context") {
    throw bad_input("Invalid dataset key '{}' specified. Valid keys are '{{'context', 'digest', 'name'}}'", name.key);
  }
  return name;
}

}  // namespace lockstep::history
