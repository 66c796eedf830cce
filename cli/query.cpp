#include "cli/query.hpp"

#include <cctype>
#include <charconv>
#include <functional>

#include "common/error.hpp"

namespace lockstep::cli {

namespace {

// Reads one query from left to right.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }
  char next() const { return at_end() ? '\0' : text_[at_]; }
  bool take(char wanted) {
    if (next() != wanted) return false;
    ++at_;
    return true;
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw bad_input(
        "--query '{}': character {}: {}; it can be a dotted path with [0], [-1], [*] and [], like name, [].status or "
        "creation_context.created_at",
        text_, at_ + 1, what);
  }

  std::string plain_name() {
    const std::size_t begin = at_;
    while (!at_end() && (std::isalnum(static_cast<unsigned char>(next())) != 0 || next() == '_')) ++at_;
    if (begin == at_ || std::isdigit(static_cast<unsigned char>(text_[begin])) != 0) {
      at_ = begin;
      refuse(at_end() ? "a name is missing at the end" : "a name must stand here");
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  // A JSON string: whatever a plain name can't be.
  std::string quoted_name() {
    const std::size_t begin = at_;
    for (++at_; !at_end() && next() != '"'; ++at_) {
      if (next() == '\\') ++at_;
    }
    if (!take('"')) refuse("the closing '\"' is missing");
    const Json name = Json::parse(text_.substr(begin, at_ - begin), nullptr, false);
    if (!name.is_string()) refuse("this is no quoted name");
    return name.get<std::string>();
  }

  long number() {
    const std::size_t begin = at_;
    take('-');
    while (std::isdigit(static_cast<unsigned char>(next())) != 0) ++at_;
    long value = 0;
    const auto [end, error] = std::from_chars(text_.data() + begin, text_.data() + at_, value);
    if (error != std::errc() || end != text_.data() + at_) {
      at_ = begin;
      refuse(next() == '?' ? "filters ([?...]) are not supported" : "in [] a number or * must stand");
    }
    return value;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Query::Query(std::string_view text) {
  Reader reader(text);
  if (reader.at_end()) reader.refuse("it is empty");
  bool first = !reader.take('@');  // @ is the whole, and may be left out
  while (!reader.at_end()) {
    if (reader.take('[')) {
      if (reader.take(']')) {
        steps_.push_back({Step::Kind::flatten, "", 0});
        first = false;
        continue;
      }
      if (reader.take('*')) {
        steps_.push_back({Step::Kind::each, "", 0});
      } else {
        steps_.push_back({Step::Kind::index, "", reader.number()});
      }
      if (!reader.take(']')) reader.refuse("']' is missing");
    } else {
      if (!first && !reader.take('.')) reader.refuse("'.' or '[' must stand here");
      steps_.push_back({Step::Kind::field, reader.next() == '"' ? reader.quoted_name() : reader.plain_name(), 0});
    }
    first = false;
  }
}

// The rest is applied to each element of a list; elements for which it gives null are left out.
static Json kept(const Json& elements, const std::function<Json(const Json&)>& rest) {
  Json result = Json::array();
  for (const Json& element : elements) {
    Json each = rest(element);
    if (!each.is_null()) result.push_back(std::move(each));
  }
  return result;
}

static Json flattened(const Json& list) {
  Json result = Json::array();
  for (const Json& element : list) {
    if (element.is_array()) {
      result.insert(result.end(), element.begin(), element.end());
    } else {
      result.push_back(element);
    }
  }
  return result;
}

// Steps without a flatten.
Json Query::apply(const Json& value, const Step* begin, const Step* end) {
  if (begin == end) return value;
  const Step& step = *begin;
  if (step.kind == Step::Kind::field) {
    if (!value.is_object() || !value.contains(step.field)) return nullptr;
    return apply(value[step.field], begin + 1, end);
  }
  if (!value.is_array()) return nullptr;
  if (step.kind == Step::Kind::each) {
    return kept(value, [&](const Json& element) { return apply(element, begin + 1, end); });
  }
  const long size = static_cast<long>(value.size());
  const long index = step.index < 0 ? size + step.index : step.index;
  if (index < 0 || index >= size) return nullptr;
  return apply(value[static_cast<std::size_t>(index)], begin + 1, end);
}

// [] works on the whole of what stands before it, so a[].b[] is one flat list: hence from the right.
Json Query::evaluate(const Json& value, const Step* begin, const Step* end) {
  const Step* flatten = end;
  while (flatten != begin && (flatten - 1)->kind != Step::Kind::flatten) --flatten;
  if (flatten == begin) return apply(value, begin, end);
  const Json before = evaluate(value, begin, flatten - 1);
  if (!before.is_array()) return nullptr;
  return kept(flattened(before), [&](const Json& element) { return apply(element, flatten, end); });
}

Json Query::of(const Json& value) const { return evaluate(value, steps_.data(), steps_.data() + steps_.size()); }

}  // namespace lockstep::cli
