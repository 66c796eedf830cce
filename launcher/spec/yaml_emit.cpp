// emit_yaml: block style, plain scalars where nobody can misread them, `|` for scripts, double quotes otherwise.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "launcher/spec/yaml_tree.hpp"

namespace lockstep::spec {

namespace {

// Conservative on purpose: printable ASCII that starts like a word or a path and holds nothing that YAML gives a
// meaning to.
bool is_safe_plain(std::string_view text) {
  if (text.empty() || text.back() == ' ' || text.back() == ':' || text.starts_with("...")) return false;
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  const bool number = text.size() > 1 && text[0] == '-' && is_word(text[1]);
  if (!is_word(text[0]) && !number && std::string_view("./_$(").find(text[0]) == std::string_view::npos) return false;
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// What YAML 1.1 or 1.2 may read as a null, a boolean or a number.
bool looks_typed(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const char* word : {"", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"})
    if (lower == word) return true;
  const std::size_t digit = lower.find_first_not_of("+-.");
  return digit != std::string::npos && std::isdigit(static_cast<unsigned char>(lower[digit])) != 0 && digit <= 2;
}

bool is_null_word(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

// A literal block keeps its lines as they are only if none begins with a blank (which would set the indentation), the
// text ends in exactly one line feed, and all of it is printable.
bool fits_literal_block(std::string_view text) {
  if (text.size() < 2 || text.back() != '\n' || text[text.size() - 2] == '\n') return false;
  bool at_line_start = true;
  for (const char c : text) {
    if (c != '\n' && (c < ' ' || c > '~')) return false;
    if (at_line_start && (c == ' ' || c == '\n')) return false;
    at_line_start = c == '\n';
  }
  return text.find('\n') != text.size() - 1;
}

std::string double_quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      quoted += fmt::format("\\x{:02x}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string on_one_line(const YamlNode& scalar) {
  const bool plain =
      is_safe_plain(scalar.text) && !is_null_word(scalar.text) && (scalar.plain || !looks_typed(scalar.text));
  return plain ? scalar.text : double_quoted(scalar.text);
}

void emit(const YamlNode& node, int indent, std::string& out);

// What follows "key:" or "-".
void emit_value(const YamlNode& node, int indent, std::string& out) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  if (node.is_null()) {
    out += " null\n";
  } else if (node.is_scalar() && fits_literal_block(node.text)) {
    out += " |\n" + margin;
    for (std::size_t i = 0; i < node.text.size(); ++i) {
      out += node.text[i];
      if (node.text[i] == '\n' && i + 1 < node.text.size()) out += margin;
    }
  } else if (node.is_scalar()) {
    out += ' ' + on_one_line(node) + '\n';
  } else if (node.entries.empty() && node.items.empty()) {
    out += node.is_list() ? " []\n" : " {}\n";
  } else {
    out += '\n';
    emit(node, indent, out);
  }
}

void emit(const YamlNode& node, int indent, std::string& out) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  for (const auto& [key, value] : node.entries) {
    // Past 1024 characters YAML takes a key only in its explicit form.
    const std::string name = on_one_line(key);
    out += margin + (name.size() > 1000 ? "? " + name + "\n" + margin + ":" : name + ":");
    emit_value(value, indent + 2, out);
  }
  for (const auto& item : node.items) {
    out += margin + "-";
    emit_value(item, indent + 2, out);
  }
}

}  // namespace

std::string emit_yaml(const YamlNode& root) {
  std::string out;
  if (root.entries.empty() && root.items.empty())
    emit_value(root, 0, out);
  else
    emit(root, 0, out);
  return out;
}

}  // namespace lockstep::spec
