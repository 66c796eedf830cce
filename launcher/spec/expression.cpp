#include "launcher/spec/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "common/error.hpp"
#include "launcher/spec/quoted.hpp"

namespace lockstep::spec {

namespace {

using Problem = std::function<void(std::size_t, const std::string&)>;

// One $[[...]]: [begin, end) with its brackets.
struct Segment {
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct Parsed {
  std::vector<Reference> references;
  std::vector<Segment> segments;
};

bool is_path_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; }

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// "inputs.x" -> {"inputs", "x"}; empty when a part is empty or holds a character that no name has.
std::vector<std::string> split_path(std::string_view text) {
  std::vector<std::string> path;
  while (true) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    const std::string_view part = text.substr(0, dot);
    if (part.empty() || !std::all_of(part.begin(), part.end(), is_path_character)) return {};
    path.emplace_back(part);
    if (dot == text.size()) return path;
    text.remove_prefix(dot + 1);
  }
}

class Scanner {
 public:
  Scanner(std::string_view text, const Problem& problem) : text_(text), problem_(problem) {}

  Parsed scan() {
    while (at_ < text_.size()) {
      const std::string_view rest = text_.substr(at_);
      if (rest.starts_with("${{")) {
        reference();
      } else if (rest.starts_with("$[[")) {
        open_segment();
      } else if (in_segment_ && rest.starts_with("]]")) {
        at_ += 2;
        parsed_.segments.push_back({segment_begin_, at_});
        in_segment_ = false;
      } else {
        ++at_;
      }
    }
    if (in_segment_) problem_(segment_begin_, "'$[[' has no closing ']]'");
    return std::move(parsed_);
  }

 private:
  void open_segment() {
    if (in_segment_) problem_(at_, "'$[[' stands inside another '$[['");
    if (!in_segment_) segment_begin_ = at_;
    in_segment_ = true;
    at_ += 3;
  }

  void reference() {
    const std::size_t begin = at_;
    at_ = begin + 3;
    if (close_ < at_) close_ = text_.find("}}", at_);  // kept, or many openings before one close would cost a square
    if (close_ == std::string_view::npos) {
      at_ = text_.size();  // nor has any later one
      return problem_(begin, "'${{' has no closing '}}'");
    }
    const std::string_view between = text_.substr(at_, close_ - at_);
    const std::size_t next = between.find("${{");
    if (next != std::string_view::npos) {
      at_ += next;
      return problem_(begin, "'${{' has no closing '}}' before the next '${{'");
    }
    at_ = close_ + 2;
    const std::string_view inner = trimmed(between);
    if (inner.empty()) return problem_(begin, "'${{ }}' is empty");
    std::vector<std::string> path = split_path(inner);
    if (path.empty())
      return problem_(begin,
                      fmt::format("{} is no expression; expected names joined by dots, as in '${{{{inputs.x}}}}'",
                                  in_quotes(inner)));
    parsed_.references.push_back({std::move(path), begin, at_, in_segment_});
  }

  std::string_view text_;
  const Problem& problem_;
  Parsed parsed_;
  std::size_t at_ = 0;
  std::size_t close_ = 0;  // of the next "}}", if not before at_
  std::size_t segment_begin_ = 0;
  bool in_segment_ = false;
};

std::string joined(const std::vector<std::string>& path) { return fmt::format("{}", fmt::join(path, ".")); }

}  // namespace

std::vector<Reference> references_in(std::string_view text, const Problem& problem) {
  return Scanner(text, problem).scan().references;
}

std::string resolve(std::string_view text,
                    const std::function<std::optional<std::string>(const std::vector<std::string>& path)>& lookup) {
  const Problem refuse = [](std::size_t, const std::string& what) { throw bad_input("{}", what); };
  const Parsed parsed = Scanner(text, refuse).scan();
  std::string out;
  std::size_t at = 0;
  auto reference = parsed.references.begin();
  // Appends text up to `end` with its references replaced; false when one of them is unset.
  const auto copy_until = [&](std::size_t end, std::string& to) {
    bool all_set = true;
    for (; reference != parsed.references.end() && reference->begin < end; ++reference) {
      to += text.substr(at, reference->begin - at);
      const auto value = lookup(reference->path);
      if (value) to += *value;
      if (!value && !reference->in_optional) throw bad_input("'${{{{{}}}}}' has no value", joined(reference->path));
      all_set = all_set && value.has_value();
      at = reference->end;
    }
    to += text.substr(at, end - at);
    at = end;
    return all_set;
  };
  for (const Segment& segment : parsed.segments) {
    copy_until(segment.begin, out);
    at = segment.begin + 3;
    std::string inside;
    if (copy_until(segment.end - 2, inside)) out += inside;
    at = segment.end;
  }
  copy_until(text.size(), out);
  return out;
}

}  // namespace lockstep::spec
