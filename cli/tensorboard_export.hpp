// A run's metrics and parameters from the store as event files for TensorBoard.
#pragma once

#include <cstdint>
#include <string>

#include "common/file.hpp"
#include "history/store/metric_reader.hpp"
#include "history/store/store.hpp"

namespace lockstep::cli {

// Writes what came into the store since the last export to this folder, each value once, also when an export was killed
// in the middle or several go on at once; gives the number of values. If the folder has event files of the run's own
// program (lockstep-train), what those hold is left out. `exported.json` in the folder says how far it is.
std::int64_t export_events(history::Store& store, history::MetricReader& metrics, const history::Run& run,
                           const fs::path& folder);

}  // namespace lockstep::cli
