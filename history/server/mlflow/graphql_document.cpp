#include "history/server/mlflow/graphql_document.hpp"

#include <algorithm>
#include <cstdlib>

#include "common/error.hpp"
#include "common/utf8.hpp"

namespace lockstep::history::server::mlflow {

using nlohmann::json;

namespace {
constexpr int deepest = 10;
constexpr int most_fields = 1000;
constexpr int most_of_the_root = 10;
constexpr int most_aliases = 10;

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_decimal(char c) { return c >= '0' && c <= '9'; }

class DocumentParser {
 public:
  DocumentParser(std::string_view text, const json& variables) : text_(text), given_(variables) { skip(); }

  std::vector<GraphqlOperation> operations() {
    std::vector<GraphqlOperation> all;
    while (at_ < text_.size()) all.push_back(operation());
    return all;
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    const std::string_view before = text_.substr(0, at_);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto begin = before.rfind('\n');  // npos + 1 is 0
    throw bad_input("GraphQL, line {}, column {}: {}", line, at_ - (begin + 1) + 1, what);
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  // White space, commas and comments mean nothing.
  void skip() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (std::string_view(" \t\r\n,").find(text_[at_]) != std::string_view::npos) {
        ++at_;
      } else {
        return;
      }
    }
  }

  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    skip();
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(fmt::format("'{}' is expected", c));
  }

  std::string name() {
    const std::size_t begin = at_;
    while (begins_name(peek()) || (at_ > begin && is_decimal(peek()))) ++at_;
    if (at_ == begin) fail("a name is expected");
    std::string found(text_.substr(begin, at_ - begin));
    skip();
    return found;
  }

  GraphqlOperation operation() {
    GraphqlOperation made;
    variables_ = json::object();
    if (peek() != '{') {
      const std::string kind = name();
      if (kind == "fragment") fail("fragments are not served");
      if (kind != "query" && kind != "mutation") fail("a query or a mutation is expected");
      made.is_mutation = kind == "mutation";
      if (begins_name(peek())) made.name = name();
      if (take('(')) define_variables();
      skip_directives();
    }
    made.fields = selection(1);
    if (made.fields.size() > most_of_the_root) fail(fmt::format("more than {} fields of the root", most_of_the_root));
    return made;
  }

  void define_variables() {
    while (!take(')')) {
      expect('$');
      const std::string variable = name();
      expect(':');
      skip_type(0);
      const auto given = given_.find(variable);
      json& value = variables_[variable];
      if (take('=')) value = value_at(0);
      if (given != given_.end()) value = *given;
      skip_directives();
    }
  }
  void skip_type(int depth) {
    if (depth == deepest) fail("a type in too many lists");
    if (take('[')) {
      skip_type(depth + 1);
      expect(']');
    } else {
      name();
    }
    take('!');
  }
  void skip_directives() {
    while (take('@')) {
      name();
      if (take('(')) arguments();
    }
  }

  std::vector<GraphqlField> selection(int depth) {
    if (depth > deepest) fail(fmt::format("more than {} levels", deepest));
    expect('{');
    std::vector<GraphqlField> all;
    int aliases = 0;
    while (!take('}')) {
      if (++fields_ > most_fields) fail(fmt::format("more than {} fields", most_fields));
      if (peek() == '.') fail("fragments are not served");
      GraphqlField field;
      field.alias = field.name = name();
      if (take(':')) {
        field.name = name();
        if (++aliases > most_aliases) fail(fmt::format("more than {} aliases", most_aliases));
      }
      if (take('(')) field.arguments = arguments();
      skip_directives();
      if (peek() == '{') field.fields = selection(depth + 1);
      all.push_back(std::move(field));
    }
    if (all.empty()) fail("a field is expected");
    return all;
  }

  json arguments() {
    json all = json::object();
    while (!take(')')) {
      std::string key = name();
      expect(':');
      all[std::move(key)] = value_at(0);
    }
    return all;
  }

  json value_at(int depth) {
    if (depth == deepest) fail("a value in too many lists or objects");
    const char c = peek();
    if (take('$')) {
      const std::string variable = name();
      if (!variables_.contains(variable)) fail(fmt::format("no variable '${}' is defined", variable));
      return variables_[variable];
    }
    if (take('[')) {
      json all = json::array();
      while (!take(']')) all.push_back(value_at(depth + 1));
      return all;
    }
    if (take('{')) {
      json all = json::object();
      while (!take('}')) {
        std::string key = name();
        expect(':');
        all[std::move(key)] = value_at(depth + 1);
      }
      return all;
    }
    if (c == '"') return text();
    if (c == '-' || is_decimal(c)) return number();
    const std::string word = name();
    if (word == "true" || word == "false") return word == "true";
    return word == "null" ? json() : json(word);  // else one of an enum's
  }

  // JSON's strings have the same escapes.
  json text() {
    if (text_.substr(at_).starts_with("\"\"\"")) fail("block strings are not served");
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != '"' && text_[end] != '\n') end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size() || text_[end] != '"') fail("this text has no end");
    return scalar(end + 1, &json::is_string, "this is no text");
  }
  json number() {
    std::size_t end = at_;
    while (end < text_.size() &&
           (is_decimal(text_[end]) || std::string_view("+-.eE").find(text_[end]) != std::string_view::npos))
      ++end;
    return scalar(end, &json::is_number, "this is no number");
  }
  json scalar(std::size_t end, bool (json::*is_one)() const noexcept, const char* otherwise) {
    json value = json::parse(text_.substr(at_, end - at_), nullptr, false);
    if (!(value.*is_one)()) fail(otherwise);
    at_ = end;
    skip();
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int fields_ = 0;
  const json& given_;
  json variables_;  // of the operation that is read: as given, or by default
};
}  // namespace

GraphqlOperation parse_graphql(std::string_view document, const std::string& operation, const json& variables) {
  if (!is_valid_utf8(document)) throw bad_input("GraphQL: it is not valid UTF-8");
  std::vector<GraphqlOperation> all = DocumentParser(document, variables).operations();
  if (operation.empty() && all.size() == 1) return std::move(all.front());
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == operation; });
  if (operation.empty()) throw bad_input("Must provide operation name if query contains multiple operations.");
  if (found == all.end()) throw bad_input("Unknown operation named '{}'.", operation);
  return std::move(*found);
}

}  // namespace lockstep::history::server::mlflow
