// Closing a run whose supervisor and keeper are both dead.
#pragma once

#include <string>

#include "common/run_folder.hpp"
#include "history/store/store.hpp"

namespace lockstep::supervise {

// False if the run has ended, has a living owner, or never was a supervisor's (an MLflow client made it).
bool close_if_abandoned(const Workspace& workspace, history::Store& store, const std::string& run_id);

}  // namespace lockstep::supervise
