// Aligned columns for people.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/terminal.hpp"

namespace lockstep::cli {

struct Column {
  std::string title;
  bool right_aligned = false;
  bool shrinks = false;  // gives up width first when the terminal is too narrow
};

// One line per row under a header and a rule. On a terminal no line is wider than it: the columns that may shrink are
// cut, then the last ones. In a pipe nothing is cut: a program may read it.
std::string text_table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows,
                       const Terminal& terminal);

// "key: value" lines with the values in one column; a field without a key goes on with the one before.
using Fields = std::vector<std::pair<std::string, std::string>>;
std::string field_list(const Fields& fields);

}  // namespace lockstep::cli
