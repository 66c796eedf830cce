// The left side of a clause, and what a sort key begins with.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "history/search/grammar.hpp"
#include "history/search/lexer.hpp"

namespace lockstep::history {

struct Name {
  Field field = Field::attribute;
  std::string key;
  const Attribute* attribute = nullptr;  // of Field::attribute
};
// Reads `loss`, `metrics.loss`, `metrics."a b"`, `tags.mlflow.user` from the tokens at `next`, and goes past it.
Name read_name(const Grammar& grammar, Use use, std::span<const Token> tokens, std::size_t& next);

const Attribute& attribute_named(const Grammar& grammar, Use use, std::string_view name);  // or an alias of it

std::string_view word_for(Field field);  // "parameter"

// bad_input: this token can't stand here.
[[noreturn]] void refuse(Use use, const Token& token);

}  // namespace lockstep::history
