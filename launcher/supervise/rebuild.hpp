// The store again, from the folders of the runs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/run_folder.hpp"
#include "history/transfer/store_sink.hpp"

namespace lockstep::supervise {

struct Rebuilt {
  history::transfer::Taken taken;    // runs_here: those that the store had; left_out: with the reasons
  std::int64_t from_archives = 0;    // folders that had a whole history.jsonl.gz
  std::int64_t live = 0;             // runs that somebody owns: left alone
  std::vector<std::string> remarks;  // archives that could not be read, so that the other files were
};

// Adds to the store the runs of this workspace that it lacks, in the order in which they were submitted. `told` hears
// how far it is; what it throws ends the work, after whole runs.
Rebuilt rebuild(const Workspace& workspace, history::Store& store,
                const std::function<void(const history::transfer::Counts&)>& told);

}  // namespace lockstep::supervise
