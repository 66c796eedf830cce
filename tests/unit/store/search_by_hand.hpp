// A search, done the plain way: look at each run, sort all that fit. And how runs come into a store for it: straight
// into the tables, so that a test says when they were started.
#pragma once

#include <vector>

#include "history/store/database.hpp"
#include "history/store/store.hpp"

namespace lockstep::history {

void insert_run(Database& database, const FullRun& run);

bool fits(const FullRun& run, const Clause& clause);
std::vector<FullRun> search_by_hand(const std::vector<FullRun>& runs, const Search& search);  // in one page

bool is_like(std::string_view text, std::string_view pattern, bool case_matters);

}  // namespace lockstep::history
