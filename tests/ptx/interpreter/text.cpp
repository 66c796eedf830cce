#include "tests/ptx/interpreter/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "tests/gpu_emulation/engine/engine.hpp"
#include "tests/gpu_emulation/engine/kernel_name.hpp"

namespace lockstep::ptx {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_of_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '%';
}
std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// At commas that are in no brackets.
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ',';
    if (c == '{' || c == '[' || c == '(') ++depth;
    if (c == '}' || c == ']' || c == ')') --depth;
    if (c != ',' || depth != 0) continue;
    if (const auto part = trimmed(text.substr(begin, i - begin)); !part.empty()) parts.emplace_back(part);
    begin = i + 1;
  }
  return parts;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> made;
  while (!(text = trimmed(text)).empty()) {
    const auto end = std::find_if(text.begin(), text.end(), is_space);
    made.emplace_back(text.begin(), end);
    text.remove_prefix(made.back().size());
  }
  return made;
}

std::size_t bytes_of(std::string_view type) {
  if (type == "b8" || type == "u8" || type == "s8") return 1;
  if (type.ends_with("16")) return 2;
  if (type.ends_with("32")) return 4;
  return type.ends_with("64") ? 8 : 0;
}

class Parser {
 public:
  Parser(const std::string& file, std::string_view text) : file_(file), text_(text) {}

  std::vector<KernelText> parse() {
    while (skip_space(), at_ < text_.size()) {
      if (starts(".file")) {
        parse_file(rest_of_line());
      } else if (starts(".version") || starts(".target") || starts(".address_size")) {
        rest_of_line();
      } else if (starts(".section")) {
        skip_braces();
      } else {
        const std::string_view head = upto("(;{");
        if (head.find(".entry") != std::string_view::npos) {
          parse_kernel(words(head).back());
        } else if (head.find(".shared") != std::string_view::npos && text_[at_] == ';') {
          shared_.push_back(variable(head));
          ++at_;
        } else {
          fail(fmt::format("not understood at the file's level: {}", head));
        }
      }
    }
    for (auto& kernel : kernels_) {
      for (auto& statement : kernel.statements) statement.place = place_of(statement.place);
    }
    return std::move(kernels_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw emulation::KernelError(fmt::format("{}:{}: {}", file_, line(), what));
  }
  int line() const {
    while (counted_ < at_) lines_ += text_[counted_++] == '\n' ? 1 : 0;
    return lines_;
  }
  bool starts(std::string_view with) const { return text_.substr(at_).starts_with(with); }

  void skip_space() {
    while (at_ < text_.size() && (is_space(text_[at_]) || starts("//"))) {
      if (starts("//")) {
        rest_of_line();
      } else {
        ++at_;
      }
    }
  }
  std::string_view rest_of_line() {
    const std::size_t begin = at_;
    at_ = std::min(text_.find('\n', at_), text_.size());
    return trimmed(text_.substr(begin, at_ - begin));
  }
  std::string_view upto(const char* stops) {
    const std::size_t begin = at_;
    at_ = text_.find_first_of(stops, at_);
    if (at_ == std::string_view::npos) {
      at_ = begin;
      fail("it ends in the middle");
    }
    return trimmed(text_.substr(begin, at_ - begin));
  }
  void skip_braces() {
    upto("{");
    int depth = 0;
    do {
      depth += text_[at_] == '{' ? 1 : text_[at_] == '}' ? -1 : 0;
      ++at_;
    } while (depth > 0 && at_ < text_.size());
  }

  // .file 1 "/path/of/the.cu"
  void parse_file(std::string_view text) {
    const auto parts = words(text);
    const std::string path = parts.at(2).substr(1, parts.at(2).size() - 2);
    files_[parts[1]] = path.substr(path.rfind('/') + 1);
  }
  std::string place_of(const std::string& loc) const {  // "<file> <line>"
    const auto parts = words(loc);
    if (parts.size() != 2 || !files_.contains(parts[0])) return {};
    return files_.at(parts[0]) + ":" + parts[1];
  }

  // .param .u64 name, .shared .align 4 .b8 name[128], .extern .shared .align 16 .b8 name[]
  Variable variable(std::string_view text) {
    Variable made;
    const auto parts = words(text);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i] == ".align") made.alignment = number(parts.at(++i));
    }
    const std::size_t element = bytes_of(std::string_view(parts.at(parts.size() - 2)).substr(1));
    const std::string& name = parts.back();
    const std::size_t bracket = name.find('[');
    made.name = name.substr(0, bracket);
    made.bytes = element;
    made.alignment = std::max(made.alignment, element);
    if (bracket != std::string::npos) {
      const std::string count = name.substr(bracket + 1, name.size() - bracket - 2);
      made.bytes = count.empty() ? 0 : element * number(count);
    }
    if (element == 0) fail(fmt::format("a variable of no known size: {}", text));
    return made;
  }
  std::size_t number(std::string_view text) const {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) fail(fmt::format("no number: {}", text));
    return value;
  }

  void parse_kernel(const std::string& mangled) {
    KernelText& kernel = kernels_.emplace_back();
    kernel.mangled = mangled;
    kernel.name = emulation::own_name(mangled);
    kernel.file = file_;
    kernel.shared = shared_;
    ++at_;
    for (const auto& each : split(upto(")"))) kernel.parameters.push_back(variable(each));
    upto("{");  // past .maxntid and its kin, which bind ptxas alone
    ++at_;
    std::string place;
    for (int depth = 1; depth > 0;) {
      skip_space();
      if (at_ >= text_.size()) fail("a kernel without an end");
      if (text_[at_] == '{' || text_[at_] == '}') {  // inline PTX brings scopes of its own
        depth += text_[at_++] == '{' ? 1 : -1;
      } else if (starts(".loc\t") || starts(".loc ")) {
        const auto parts = words(rest_of_line());
        place = parts.at(1) + " " + parts.at(2);
      } else {
        parse_statement(kernel, place);
      }
    }
  }

  void parse_statement(KernelText& kernel, const std::string& place) {
    const int begin = line();
    std::size_t end = at_;
    while (end < text_.size() && is_of_name(text_[end])) ++end;
    if (end > at_ && end < text_.size() && text_[end] == ':') {
      last_label_ = std::string(text_.substr(at_, end - at_));
      kernel.labels[last_label_] = kernel.statements.size();
      at_ = end + 1;
      return;
    }
    const std::string_view text = upto(";");
    ++at_;
    const auto parts = words(text);
    if (parts[0] == ".reg") return parse_registers(kernel, text);
    if (parts[0] == ".shared") return kernel.shared.push_back(variable(text));
    if (parts[0] == ".local") return kernel.local.push_back(variable(text));
    if (parts[0] == ".pragma") return;
    if (parts[0] == ".branchtargets") {
      kernel.branch_tables[last_label_] = split(text.substr(parts[0].size()));
      return;
    }
    if (parts[0][0] == '.') fail(fmt::format("not understood in a kernel: {}", text));
    Statement made;
    made.text = text;
    made.line = begin;
    made.place = place;
    std::string_view rest = text;
    if (rest.front() == '@') {
      made.guard = parts[0].substr(1);
      rest = trimmed(rest.substr(parts[0].size()));
      made.negated = made.guard.front() == '!';
      if (made.negated) made.guard.erase(0, 1);
    }
    made.opcode = std::string(rest.begin(), std::find_if(rest.begin(), rest.end(), is_space));
    made.operands = split(rest.substr(made.opcode.size()));
    kernel.statements.push_back(std::move(made));
  }

  // .reg .b32 %r<16>; or .reg .b16 low, high;
  static void parse_registers(KernelText& kernel, std::string_view text) {
    const auto parts = words(text);
    const std::string type = parts.at(1).substr(1);
    const auto names = text.substr(text.find(parts[1]) + parts[1].size());
    for (const auto& name : split(names)) kernel.registers[name.substr(0, name.find('<'))] = type;
  }

  const std::string& file_;
  std::string_view text_;
  std::size_t at_ = 0;
  mutable std::size_t counted_ = 0;  // lines_ is that of this place
  mutable int lines_ = 1;
  std::vector<Variable> shared_;
  std::vector<KernelText> kernels_;
  std::map<std::string, std::string> files_;
  std::string last_label_;
};

}  // namespace

std::vector<KernelText> parse_ptx(const std::string& file, std::string_view text) { return Parser(file, text).parse(); }

}  // namespace lockstep::ptx
