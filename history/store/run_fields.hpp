// What a clause or a sort key of a search for runs stands for in SQL, where `r` is the row of runs.
#pragma once

#include "history/store/search_page.hpp"

namespace lockstep::history {

// Where metrics (their latest values), parameters and tags of runs are.
const SideTable& run_values(Field field);

struct RunAttribute {
  std::string_view name;
  std::string expression;
  SqlType type = SqlType::text;
};
const RunAttribute& run_attribute(const std::string& name);  // bad_input: there is none

Sql run_condition(const Clause& clause);

}  // namespace lockstep::history
