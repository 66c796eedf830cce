#include "history/search/filter.hpp"

#include <charconv>

#include "common/error.hpp"
#include "common/utf8.hpp"
#include "history/search/name.hpp"

namespace lockstep::history {

namespace {
class Reader {
 public:
  Reader(Kind kind, std::string_view text) : grammar_(grammar_of(kind)), tokens_(tokens_of(Use::filter, text)) {}

  std::vector<Clause> read() {
    std::vector<Clause> clauses;
    if (now().kind == TokenKind::end) return clauses;
    while (true) {
      if (clauses.size() == most_clauses)
        throw bad_input("a filter may have {} clauses; this one has more", most_clauses);
      clauses.push_back(read_clause());
      if (now().kind == TokenKind::end) return clauses;
      if (!is_keyword(now(), "and")) refuse_this();
      ++next_;
    }
  }

 private:
  const Token& now() const { return tokens_[next_]; }
  bool take_keyword(std::string_view keyword) {
    if (!is_keyword(now(), keyword)) return false;
    ++next_;
    return true;
  }

  [[noreturn]] void refuse_this() const { refuse(Use::filter, now()); }

  Clause read_clause() {
    const Name name = read_name(grammar_, Use::filter, tokens_, next_);
    Clause clause{name.field, name.key, read_comparison(), std::string()};
    const bool about_null = clause.comparison == Comparison::is_null || clause.comparison == Comparison::is_not_null;
    if (!about_null) clause.value = read_value(name, clause.comparison);
    const Comparisons allowed = comparisons_of(name);
    if (has_comparison(allowed, clause.comparison)) return clause;
    if (about_null) {
      throw bad_input("IS NULL / IS NOT NULL is only supported for tags and params, not for '{}' '{}'",
                      word_for(name.field), name.key);
    }
    throw bad_input("Invalid comparator '{}' not one of '{}'", text_of(clause.comparison), text_of(allowed));
  }

  Comparisons comparisons_of(const Name& name) const {
    switch (name.field) {
      case Field::attribute:
        return name.attribute->comparisons;
      case Field::metric:
        return grammar_.metrics;
      case Field::param:
        return grammar_.params;
      case Field::tag:
        return grammar_.tags;
      case Field::dataset:
        return grammar_.datasets;
    }
    return 0;
  }

  Comparison read_comparison() {
    if (now().kind == TokenKind::comparison) {
      const std::string_view sign = tokens_[next_++].text;
      for (const auto each : {Comparison::equal, Comparison::not_equal, Comparison::less, Comparison::less_or_equal,
                              Comparison::greater, Comparison::greater_or_equal}) {
        if (text_of(each) == sign) return each;
      }
      throw bad_input("Invalid comparator '{}' not one of '=', '!=', '<', '<=', '>', '>='", sign);
    }
    if (take_keyword("like")) return Comparison::like;
    if (take_keyword("ilike")) return Comparison::ilike;
    if (take_keyword("in")) return Comparison::in;
    if (take_keyword("not")) {
      if (take_keyword("in")) return Comparison::not_in;
    } else if (take_keyword("is")) {
      const bool negated = take_keyword("not");
      if (take_keyword("null")) return negated ? Comparison::is_not_null : Comparison::is_null;
    }
    refuse_this();
  }

  decltype(Clause::value) read_value(const Name& name, Comparison comparison) {
    const bool wants_list = comparison == Comparison::in || comparison == Comparison::not_in;
    if (wants_list && now().kind != TokenKind::open) refuse_this();
    if (name.field == Field::metric) return number_or_throw("Expected numeric value type for metric. Found {}");
    if (name.field == Field::attribute && name.attribute->type != ValueType::text) return read_numeric(*name.attribute);
    if (now().kind == TokenKind::open && has_comparison(comparisons_of(name), Comparison::in)) {
      if (!wants_list) throw bad_input("'{}' is compared with a list {}: write IN", name.key, written());
      return read_list();
    }
    if (now().kind == TokenKind::open && name.field == Field::attribute) refuse_list();
    return read_text(name);
  }

  // The value that stands here, as it was written.
  std::string_view written() const {
    std::string_view source = now().source;
    if (now().kind == TokenKind::open) {
      std::size_t last = next_;
      while (tokens_[last].kind != TokenKind::close && tokens_[last].kind != TokenKind::end) ++last;
      source = {source.begin(), tokens_[last].source.end()};
    }
    return first_characters(source, 200);
  }

  double number_or_throw(std::string_view mistake) {
    if (now().kind == TokenKind::end) refuse_this();
    if (now().kind != TokenKind::number) {
      throw bad_input("{}", fmt::format(fmt::runtime(mistake), written()));
    }
    const std::string_view digits = now().text;
    double number = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || stop != digits.data() + digits.size()) {
      throw bad_input("{} is no number that a double can hold", first_characters(digits, 200));
    }
    ++next_;
    return number;
  }

  double read_numeric(const Attribute& attribute) {
    if (attribute.type == ValueType::integer_or_text && now().kind == TokenKind::single_quoted) {
      std::int64_t number = 0;
      const std::string_view digits = now().text;
      const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
      if (error != std::errc() || stop != digits.data() + digits.size()) refuse_number(attribute);
      ++next_;
      return static_cast<double>(number);
    }
    const Token& token = now();
    const double number = number_or_throw(
        fmt::format("Expected numeric value type for numeric attribute: {}. Found {{}}", attribute.name));
    if (attribute.type != ValueType::number && token.text.find_first_of(".eE") != std::string_view::npos) {
      --next_;
      refuse_number(attribute);
    }
    return number;
  }

  [[noreturn]] void refuse_number(const Attribute& attribute) const {
    throw bad_input("Invalid value for numeric attribute '{}': '{}'", attribute.name,
                    first_characters(now().text, 200));
  }

  std::string read_text(const Name& name) {
    const Token& token = tokens_[next_];
    if (grammar_.takes_bare_values && (token.kind == TokenKind::word || token.kind == TokenKind::number)) {
      ++next_;
      return std::string(token.text);
    }
    if (token.kind == TokenKind::word || token.kind == TokenKind::backticked) {
      throw bad_input(
          "Parameter value is either not quoted or unidentified quote types used for string value {}. Use either "
          "single or double quotes.",
          written());
    }
    if (token.kind != TokenKind::single_quoted && token.kind != TokenKind::double_quoted) {
      if (token.kind == TokenKind::end) refuse_this();
      const std::string_view what = name.field == Field::param     ? "parameter (e.g. 'my-value')"
                                    : name.field == Field::tag     ? "tag (e.g. 'my-value')"
                                    : name.field == Field::dataset ? "dataset attributes"
                                                                   : "attributes";
      throw bad_input("Expected a quoted string value for {}. Got value {}", what, written());
    }
    ++next_;
    return std::string(token.text);
  }

  [[noreturn]] void refuse_list() const {
    std::string names;
    for (const Attribute& each : grammar_.attributes) {
      if (!has_comparison(each.comparisons, Comparison::in)) continue;
      names += fmt::format("{}'{}'", names.empty() ? "" : ", ", each.name);
    }
    throw bad_input("Only [{}] attributes support comparison with a list of quoted string values.", names);
  }

  std::vector<std::string> read_list() {
    ++next_;
    std::vector<std::string> values;
    while (now().kind != TokenKind::close) {
      if (values.size() == longest_list) throw bad_input("a list may have {} values; this one has more", longest_list);
      if (now().kind != TokenKind::single_quoted && now().kind != TokenKind::double_quoted) {
        throw bad_input(
            "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different "
            "type in list: {}",
            first_characters(now().source, 200));
      }
      values.emplace_back(tokens_[next_++].text);
      if (now().kind == TokenKind::comma)
        ++next_;
      else if (now().kind != TokenKind::close)
        throw bad_input(
            "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list.");
    }
    if (values.empty()) {
      throw bad_input(
          "While parsing a list in the query, expected a non-empty list of string values, but got empty list");
    }
    ++next_;
    return values;
  }

  const Grammar& grammar_;
  std::vector<Token> tokens_;
  std::size_t next_ = 0;
};
}  // namespace

std::vector<Clause> parse_filter(Kind kind, std::string_view text) {
  if (text.size() > longest_filter) {
    throw bad_input("a filter may have {} bytes; this one has {}", longest_filter, text.size());
  }
  return Reader(kind, text).read();
}

}  // namespace lockstep::history
