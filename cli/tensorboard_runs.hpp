// Which runs `lockstep tensorboard` shows, and what they are called there.
#pragma once

#include <string>
#include <vector>

#include "history/store/store.hpp"

namespace lockstep::cli {

struct ChosenRun {
  history::Run run;
  std::string label;  // a folder's name, of this run alone
};

struct RunChoice {
  std::vector<ChosenRun> runs;  // the newest first, each once
  bool more = false;            // there are older ones, which were left out
};

// Runs by their names, or by patterns as a shell has them (`sweep-*`), or all of an experiment (empty: none is meant).
// Patterns and experiments give the newest 50. Throws not_found for what is not there.
RunChoice choose_runs(history::Store& store, const std::vector<std::string>& names, const std::string& experiment);

// Display names, without what a file's name can't have; with the run's own name behind where two are the same.
std::vector<ChosenRun> labelled(std::vector<history::Run> runs);

}  // namespace lockstep::cli
