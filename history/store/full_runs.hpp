// Runs with all that is kept of them, a page at a time.
#pragma once

#include <span>
#include <vector>

#include "history/store/database.hpp"
#include "history/store/store.hpp"

namespace lockstep::history {

// The runs with these numbers (runs.number), in this order; each must exist. The number of queries does not depend on
// how many they are.
std::vector<FullRun> load_full_runs(Database& database, std::span<const std::int64_t> numbers);

}  // namespace lockstep::history
