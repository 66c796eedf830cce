// The runs that a run's own program began, through its tracking endpoint.
#pragma once

#include <string>

#include "history/store/store.hpp"

namespace lockstep::supervise {

// Those below `run_id` that nobody supervises and that have not ended: their program has, so they end in `state`.
void end_reported_below(history::Store& store, const std::string& run_id, history::RunState state);

}  // namespace lockstep::supervise
