#include "cli/output.hpp"

#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <regex>
#include <utility>

#include "common/error.hpp"
#include "common/file.hpp"

namespace lockstep::cli {

Format OutputOptions::chosen() const {
  if (format == "json") return Format::json;
  if (format == "yaml") return Format::yaml;
  if (format == "tsv") return Format::tsv;
  if (format == "none") return Format::none;
  return Format::table;
}

void add_output_options(const Command& command, OutputOptions& options) {
  command.option("-o,--output", options.format, "FORMAT", "How to print: table (default), json, yaml, tsv, none")
      .one_of({"table", "json", "yaml", "tsv", "none"});
  command.option("--query", options.query, "PATH", "Print only this part: a dotted path with [0], [*], []")
      .checked_by([](const std::string& query) { Query{query}; });
}

static std::string scalar_text(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// One line must stay one line, and one cell one cell.
static std::string tsv_cell(const Json& value) {
  std::string text = scalar_text(value);
  for (char& c : text) {
    if (c == '\t' || c == '\n' || c == '\r') c = ' ';
  }
  return text;
}

static std::string tsv_line(const Json& value) {
  if (!value.is_structured()) return tsv_cell(value) + "\n";
  std::string line;
  bool first = true;
  for (const Json& each : value) {
    if (!first) line += '\t';
    first = false;
    if (!each.is_structured()) line += tsv_cell(each);
  }
  return line + "\n";
}

static std::string tsv_text(const Json& value) {
  if (!value.is_array()) return tsv_line(value);
  std::string text;
  for (const Json& each : value) text += tsv_line(each);
  return text;
}

static std::string scalars_of(const Json& value) {
  if (!value.is_object()) return scalar_text(value);
  std::string text;
  for (const Json& each : value) {
    if (!each.is_structured() && !each.is_null()) text += (text.empty() ? "" : "  ") + scalar_text(each);
  }
  return text;
}

static void flatten_fields(const std::string& prefix, const Json& value, Fields& fields) {
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, each] : value.items())
      flatten_fields(prefix.empty() ? key : prefix + "." + key, each, fields);
  } else if (value.is_array() && !value.empty()) {
    std::string title = prefix;
    for (const Json& each : value) fields.emplace_back(std::exchange(title, ""), scalars_of(each));
  } else {
    fields.emplace_back(prefix, scalar_text(value));
  }
}

// A list of objects: one row each, one column per key that some element has with a plain value.
static std::string table_of_list(const Json& list, const Terminal& terminal) {
  std::vector<Column> columns;
  const auto has = [&](const std::string& title) {
    return std::any_of(columns.begin(), columns.end(), [&](const Column& each) { return each.title == title; });
  };
  for (const Json& element : list) {
    if (!element.is_object()) continue;
    for (const auto& [key, value] : element.items()) {
      if (!value.is_structured() && !has(key)) columns.push_back({key, value.is_number(), true});
    }
  }
  const bool plain = columns.empty();
  if (plain) columns.push_back({"Result", false, true});
  std::vector<std::vector<std::string>> rows;
  for (const Json& element : list) {
    std::vector<std::string> row;
    for (const Column& column : columns) {
      const bool present =
          element.is_object() && element.contains(column.title) && !element[column.title].is_structured();
      row.push_back(plain ? scalar_text(element) : present ? scalar_text(element[column.title]) : "");
    }
    rows.push_back(std::move(row));
  }
  return text_table(columns, rows, terminal);
}

static std::string table_of(const Json& value, const Terminal& terminal) {
  if (value.is_array()) return table_of_list(value, terminal);
  if (!value.is_object()) return scalar_text(value) + "\n";
  Fields fields;
  flatten_fields("", value, fields);
  return field_list(fields);
}

static void emit(YAML::Emitter& out, const Json& value) {
  // What YAML would read back as something else than this string is quoted.
  static const std::regex safe("[A-Za-z_/][A-Za-z0-9_./ -]*[A-Za-z0-9_./-]|[A-Za-z]");
  static const std::regex word("(true|false|yes|no|on|off|null|y|n)", std::regex::icase);
  if (value.is_object()) {
    if (value.empty()) out << YAML::Flow;
    out << YAML::BeginMap;
    for (const auto& [key, each] : value.items()) {
      out << YAML::Key;
      emit(out, Json(key));
      out << YAML::Value;
      emit(out, each);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    if (value.empty()) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const Json& each : value) emit(out, each);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    const auto text = value.get<std::string>();
    const bool plain = text.size() < 1000 && std::regex_match(text, safe) && !std::regex_match(text, word);
    if (!plain) out << YAML::DoubleQuoted;
    out << text;
  } else if (value.is_null()) {
    out << YAML::Null;
  } else {
    out << value.dump();
  }
}

std::string to_yaml_text(const Json& value) {
  YAML::Emitter out;
  emit(out, value);
  return std::string(out.c_str()) + "\n";
}

std::string formatted(const Json& value, Format format, const Terminal& terminal) {
  switch (format) {
    case Format::table:
      return table_of(value, terminal);
    case Format::json:
      return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    case Format::yaml:
      return to_yaml_text(value);
    case Format::tsv:
      return tsv_text(value);
    case Format::none:
      return "";
  }
  return "";
}

void print(const Json& value, const OutputOptions& options,
           const std::function<std::string(const Terminal&)>& table_text) {
  const Terminal terminal = terminal_of(STDOUT_FILENO);
  const Format format = options.chosen();
  if (!options.query.empty()) {
    const Json part = Query(options.query).of(value);
    print_text(part.is_null() && format == Format::table ? "" : formatted(part, format, terminal));
  } else if (format == Format::table && table_text) {
    print_text(table_text(terminal));
  } else {
    print_text(formatted(value, format, terminal));
  }
}

void print_text(std::string_view text) { write_all(STDOUT_FILENO, text); }

}  // namespace lockstep::cli
