// Printing what a command found: -o table|json|yaml|tsv|none and --query, the same for every command.
#pragma once

#include <cstdio>
#include <functional>
#include <string>

#include "cli/command.hpp"
#include "cli/query.hpp"
#include "cli/text_table.hpp"

namespace lockstep::cli {

enum class Format { table, json, yaml, tsv, none };

struct OutputOptions {
  std::string format;  // as given; empty: a table
  std::string query;   // empty: everything
  bool given() const { return !format.empty() || !query.empty(); }
  Format chosen() const;
};

void add_output_options(const Command& command, OutputOptions& options);

// A whole value as text, ending with a newline (nothing for Format::none). tsv is az's: a list has a line per element,
// an object a cell per value; what is nested deeper is left empty; null is empty.
std::string formatted(const Json& value, Format format, const Terminal& terminal);

std::string to_yaml_text(const Json& value);

// Prints `value`, through the query when there is one. For a table without a query `table_text` draws it, where given.
void print(const Json& value, const OutputOptions& options,
           const std::function<std::string(const Terminal&)>& table_text = {});

// Writes to stdout and flushes; a full disk or a closed pipe ends in an error, not in silence.
void print_text(std::string_view text);

}  // namespace lockstep::cli
