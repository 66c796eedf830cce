// A row of a question about runs.
#pragma once

#include "history/store/database.hpp"
#include "history/store/store.hpp"

namespace lockstep::history {

// "SELECT ... FROM runs r JOIN experiments e ...", to be followed by WHERE.
extern const char* const run_columns;
constexpr int run_number_column = 18;  // runs.number

Run run_of(const Query& row);

}  // namespace lockstep::history
