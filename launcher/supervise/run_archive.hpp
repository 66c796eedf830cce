// What the store knows of a run that has ended, once more in the run's folder: what clients logged through its tracking
// endpoint, the times of its states, what preparing found out are nowhere else. `lockstep history rebuild` reads it.
#pragma once

#include "common/run_folder.hpp"
#include "history/store/store.hpp"

namespace lockstep::supervise {

// The run, those below it, and the models that they logged. Never throws: a run whose archive can't be written has
// ended all the same, and says so in its log.
void write_run_archive(history::Store& store, const RunFolder& folder);

}  // namespace lockstep::supervise
