#include "launcher/spec/read_keys.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/nearest.hpp"
#include "launcher/spec/key_table.hpp"
#include "launcher/spec/quoted.hpp"
#include "launcher/spec/scalar.hpp"

namespace lockstep::spec {

namespace {

std::vector<std::string> main_words(const KeyRow& row) {
  std::vector<std::string> words;
  for (const Word& w : row.words)
    if (w.word == w.meaning) words.emplace_back(w.word);
  return words;
}

std::string expected(const KeyRow& row) {
  std::vector<std::string> kinds;
  if (row.accepts & text) kinds.emplace_back("text");
  if (row.accepts & integer) kinds.emplace_back("a whole number");
  if (row.accepts & boolean) kinds.emplace_back("true or false");
  if (row.accepts & choice) {
    const auto words = main_words(row);
    kinds.push_back((words.size() > 1 ? "one of " : "") + fmt::format("{}", fmt::join(words, ", ")));
  }
  if (row.accepts & mapping) kinds.emplace_back("a mapping");
  if (row.accepts & text_list) kinds.emplace_back("a list of texts");
  if (row.accepts & null) kinds.emplace_back("null");
  return fmt::format("{}", fmt::join(kinds, " or "));
}

class KeyReader {
 public:
  KeyReader(CommandJob& job, Mistakes& mistakes) : job_(job), mistakes_(mistakes) {}

  // `parent` is the mapping's path in the table, `shown` the same with the names of the file; `name` what the last
  // "*" of it was.
  void read_mapping(const YamlNode& node, const std::string& parent, const std::string& shown,
                    const std::string& name) {
    const auto& rows = keys_below(parent);
    for (const auto& [key, value] : node.entries) {
      const std::string& written = key.text;
      const auto is_this = [&](const KeyRow* row) { return row->key() == written && written != "*"; };
      auto found = std::find_if(rows.begin(), rows.end(), is_this);
      if (found == rows.end())
        found = std::find_if(rows.begin(), rows.end(), [](auto* row) { return row->key() == "*"; });
      if (found == rows.end()) {
        unknown_key(key, rows, shown);
        continue;
      }
      const KeyRow& row = **found;
      const bool any_name = row.key() == "*";
      if (any_name && row.check) check_name(row, key, shown);
      const std::string part = any_name ? shortened(key.text) : key.text;
      read_value(row, value, shown.empty() ? part : shown + "." + part, any_name ? key.text : name);
    }
    for (const KeyRow* row : rows)
      if (row->required && !node.find(row->key()))
        mistakes_.add(node.mark, fmt::format("missing key '{}'{}", row->key(), shown.empty() ? "" : " in " + shown));
  }

 private:
  void unknown_key(const YamlNode& key, const std::vector<const KeyRow*>& rows, const std::string& shown) {
    if (mistakes_.is_full()) return mistakes_.add(key.mark, "");
    constexpr std::size_t short_list = 8;
    std::vector<std::string> known;
    known.reserve(rows.size());
    for (const KeyRow* row : rows) known.emplace_back(row->key());
    std::string hint = did_you_mean(key.text, known);
    if (hint.empty() && known.size() <= short_list) hint = fmt::format("; known keys: {}", fmt::join(known, ", "));
    mistakes_.add(key.mark,
                  fmt::format("unknown key {}{}{}", in_quotes(key.text), shown.empty() ? "" : " in " + shown, hint));
  }

  void check_name(const KeyRow& row, const YamlNode& key, const std::string& shown) {
    const std::string_view wanted = row.check(key.text);
    if (wanted.empty()) return;
    // "TOKEN=value" as the name of a variable would print its value.
    const std::string offending = in_quotes(key.text.substr(0, key.text.find('=')));
    mistakes_.add(key.mark, fmt::format("{} is no name in {}; expected {}", offending, shown, wanted));
  }

  void read_value(const KeyRow& row, const YamlNode& value, const std::string& shown, const std::string& name) {
    if (!check_value(row, value, shown)) return;
    if (row.store) row.store(job_, name, value);
    if (value.is_mapping() && !(row.accepts & anything)) read_mapping(value, std::string(row.path), shown, name);
  }

  bool complain(const YamlNode& value, std::string message) {
    mistakes_.add(value.mark, std::move(message));
    return false;
  }

  bool check_value(const KeyRow& row, const YamlNode& value, const std::string& shown) {
    if (row.accepts & anything) return true;
    switch (value.kind) {
      case YamlNode::Kind::null:
        if (row.accepts & null) return true;
        break;
      case YamlNode::Kind::mapping:
        if (row.accepts & mapping) return true;
        break;
      case YamlNode::Kind::list:
        if (row.accepts & text_list) return check_items(value, shown);
        break;
      case YamlNode::Kind::scalar:
        if (row.accepts & (text | integer | boolean | choice)) return check_scalar(row, value, shown);
        break;
    }
    return complain(value, fmt::format("{} must be {}, not {}", shown, expected(row), kind_in_words(value)));
  }

  bool check_items(const YamlNode& list, const std::string& shown) {
    bool good = true;
    for (const YamlNode& item : list.items)
      if (!item.is_scalar() || item.text.empty())
        good = complain(item, fmt::format("{} must be a list of texts; this is {}", shown,
                                          item.is_scalar() ? "empty" : kind_in_words(item)));
    return good;
  }

  bool check_scalar(const KeyRow& row, const YamlNode& value, const std::string& shown) {
    const auto not_that = [&] {
      return complain(value, fmt::format("{} must be {}, not {}", shown, expected(row), in_quotes(value.text)));
    };
    if (row.accepts & integer) return check_integer(row, value, shown);
    if (row.accepts & boolean) return boolean_of(value.text).has_value() || not_that();
    if (row.accepts & choice) {
      if (!meaning_of(row, value.text).empty()) return true;
      return complain(value, fmt::format("{} must be {}, not {}{}", shown, expected(row), in_quotes(value.text),
                                         did_you_mean(value.text, main_words(row))));
    }
    const bool blank = value.text.find_first_not_of(" \t\r\n") == std::string::npos;
    if (blank && !row.may_be_empty) return complain(value, shown + " must not be empty");
    if (!row.check || row.key() == "*") return true;
    const std::string_view wanted = row.check(value.text);
    return wanted.empty() ||
           complain(value, fmt::format("{} must be {}, not {}", shown, wanted, in_quotes(value.text)));
  }

  bool check_integer(const KeyRow& row, const YamlNode& value, const std::string& shown) {
    const auto number = integer_of(value.text);
    const bool digits = value.text.find_first_not_of("0123456789") == std::string::npos && !value.text.empty();
    if (!number && !digits)
      return complain(value, fmt::format("{} must be a whole number, not {}", shown, in_quotes(value.text)));
    if (number && *number < row.minimum)
      return complain(value, fmt::format("{} must be at least {}, not {}", shown, row.minimum, *number));
    if (!number || *number > row.maximum)
      return complain(value, fmt::format("{} must be at most {}, not {}", shown, row.maximum, in_quotes(value.text)));
    return true;
  }

  CommandJob& job_;
  Mistakes& mistakes_;
};

}  // namespace

void read_keys(const YamlNode& root, CommandJob& job, Mistakes& mistakes) {
  KeyReader(job, mistakes).read_mapping(root, "", "", "");
}

}  // namespace lockstep::spec
