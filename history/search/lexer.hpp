// The words, numbers, texts and signs of a filter or an order_by text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lockstep::history {

enum class TokenKind {
  word,
  backticked,
  double_quoted,
  single_quoted,
  number,
  comparison,
  dot,
  comma,
  open,
  close,
  end
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string_view source;  // as it was written
  std::string_view text;    // without its quotes
};

enum class Use { filter, sort };
std::string_view name_of(Use use);  // for errors: "filter string", "order_by clause"

// The last token is an `end`. bad_input: a character that has no meaning here, a quote that is never closed, a number
// that runs into a word, text that is not valid UTF-8.
std::vector<Token> tokens_of(Use use, std::string_view text);

bool is_keyword(const Token& token, std::string_view keyword);  // a word, in whatever case; `keyword` is lower case

}  // namespace lockstep::history
