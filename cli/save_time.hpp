// What a run has for saving when it is stopped or preempted, against what saving took in its experiment before.
#pragma once

#include <string>
#include <vector>

#include "common/run_folder.hpp"
#include "history/store/store.hpp"
#include "launcher/plan/plan.hpp"

namespace lockstep::cli {

struct TimeToSave {
  double seconds = 0;
  std::string giver;   // "partition low gives 5 s (GraceTime 0 s and KillWait 5 s)"
  std::string remedy;  // "raise GraceTime"
};

// One sentence for each that gives less than a run of this experiment needed last. `store` may lack the experiment.
std::vector<std::string> save_time_notes(history::Store& store, const std::string& experiment,
                                         const std::vector<TimeToSave>& times);

// Of a plan that is about to be submitted. Never throws for what it can't find out: it only warns.
std::vector<std::string> save_time_notes(const plan::Plan& plan, const Workspace& workspace, int stop_grace_s);

}  // namespace lockstep::cli
