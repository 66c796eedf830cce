// MLflow's words, in ours.
#pragma once

#include <string>
#include <vector>

#include "history/store/store.hpp"

namespace lockstep::history::transfer {

RunState state_of_status(const std::string& status);  // "FINISHED"; Running for what is not known
RunState state_of_status(int status);                 // as its files have it: 1 RUNNING, ... 5 KILLED
Lifecycle lifecycle_of(const std::string& stage);     // "deleted"
LoggedModelStatus logged_model_status(std::int64_t status);

// A run of MLflow's: reported by its client; what its tags say of parent and name goes to its fields.
void complete(FullRun& run);

}  // namespace lockstep::history::transfer
