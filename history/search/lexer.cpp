#include "history/search/lexer.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "common/utf8.hpp"

namespace lockstep::history {

namespace {
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool continues_word(char c) { return begins_word(c) || is_digit(c) || c == '$' || c == '#'; }
bool is_blank(char c) { return std::string_view(" \t\r\n\f\v").find(c) != std::string_view::npos; }
bool is_comparison(char c) { return std::string_view("<>=!").find(c) != std::string_view::npos; }

template <class Predicate>
std::size_t length_while(std::string_view text, const Predicate& is_part) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_part);
  return static_cast<std::size_t>(end - text.begin());
}

// -12  -1.5  .5  1.  2e-3
std::size_t number_length(std::string_view text) {
  std::size_t length = text.starts_with('-') ? 1 : 0;
  const std::size_t whole = length_while(text.substr(length), is_digit);
  length += whole;
  std::size_t fraction = 0;
  if (length < text.size() && text[length] == '.') {
    fraction = length_while(text.substr(length + 1), is_digit);
    if (whole + fraction > 0) length += 1 + fraction;
  }
  if (whole + fraction == 0) return 0;
  if (length < text.size() && (text[length] == 'e' || text[length] == 'E')) {
    std::size_t exponent = length + 1;
    if (exponent < text.size() && (text[exponent] == '-' || text[exponent] == '+')) ++exponent;
    if (const std::size_t digits = length_while(text.substr(exponent), is_digit); digits > 0)
      length = exponent + digits;
  }
  return length;
}

// With both quotes; 0: it is never closed. A backslash before a quote is only taken for an escape if another one
// follows that closes, so that 'C:\' is a text.
std::size_t quoted_length(std::string_view text) {
  const char quote = text[0];
  std::size_t escaped = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] != quote) continue;
    if (i + 1 < text.size() && text[i + 1] == quote) {
      ++i;
    } else if (quote != '`' && i > 1 && text[i - 1] == '\\') {
      escaped = i + 1;
    } else {
      return i + 1;
    }
  }
  return escaped;
}

Token quoted(std::string_view rest, TokenKind kind) {
  const std::size_t length = quoted_length(rest);
  if (length == 0) return {};
  return {kind, rest.substr(0, length), rest.substr(1, length - 2)};
}

Token plain(std::string_view rest, TokenKind kind, std::size_t length) {
  return {kind, rest.substr(0, length), rest.substr(0, length)};
}

Token number_at(std::string_view rest) {
  const std::size_t length = number_length(rest);
  if (length < rest.size() && continues_word(rest[length])) return {};
  return plain(rest, TokenKind::number, length);
}

// Whether a dot behind it, or a word behind that dot, belongs to a name: `metrics.1st`.
bool is_part_of_name(const Token& token) {
  return token.kind == TokenKind::word || token.kind == TokenKind::backticked || token.kind == TokenKind::double_quoted;
}

// Empty if nothing can begin here. `before` is what stands directly before it, if anything does.
Token token_at(std::string_view rest, const Token& before) {
  const char c = rest[0];
  if (c == '.' && is_part_of_name(before)) return plain(rest, TokenKind::dot, 1);
  if (before.kind == TokenKind::dot && continues_word(c)) {
    return plain(rest, TokenKind::word, length_while(rest, continues_word));
  }
  if (begins_word(c)) return plain(rest, TokenKind::word, length_while(rest, continues_word));
  if (c == '`') return quoted(rest, TokenKind::backticked);
  if (c == '"') return quoted(rest, TokenKind::double_quoted);
  if (c == '\'') return quoted(rest, TokenKind::single_quoted);
  if (is_comparison(c)) return plain(rest, TokenKind::comparison, length_while(rest, is_comparison));
  if (c == ',') return plain(rest, TokenKind::comma, 1);
  if (c == '(') return plain(rest, TokenKind::open, 1);
  if (c == ')') return plain(rest, TokenKind::close, 1);
  return number_at(rest);
}
}  // namespace

std::string_view name_of(Use use) { return use == Use::filter ? "filter string" : "order_by clause"; }

std::vector<Token> tokens_of(Use use, std::string_view text) {
  if (!is_valid_utf8(text)) throw bad_input("Invalid {}: it is not valid UTF-8", name_of(use));
  std::vector<Token> tokens;
  Token before;
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(before.source.size())) {
    if (const std::size_t blank = length_while(rest, is_blank); blank > 0) {
      before = {TokenKind::end, rest.substr(0, blank), {}};
      continue;
    }
    before = token_at(rest, before);
    if (before.source.empty()) {
      throw bad_input("Invalid clause(s) in {}: '{}'", name_of(use), first_characters(rest, 40));
    }
    tokens.push_back(before);
  }
  tokens.push_back({TokenKind::end, text.substr(text.size()), {}});
  return tokens;
}

bool is_keyword(const Token& token, std::string_view keyword) {
  const auto same = [](char written, char lower) {
    return (written >= 'A' && written <= 'Z' ? written + 32 : written) == lower;
  };
  return token.kind == TokenKind::word &&
         std::equal(token.text.begin(), token.text.end(), keyword.begin(), keyword.end(), same);
}

}  // namespace lockstep::history
