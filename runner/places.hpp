// Where a training's files lie: as the options say, else in the run's folder, else here.
#pragma once

#include <optional>

#include "common/run_folder.hpp"
#include "runner/options.hpp"

namespace lockstep::runner {

struct Places {
  std::optional<RunFolder> run;  // $LOCKSTEP_RUN_DIR: a launcher watches
  fs::path checkpoints;
  fs::path journal_folder;              // of every rank's journal
  std::optional<fs::path> output;       // of the trained model
  std::optional<fs::path> tensorboard;  // of event files; none: none are wanted

  fs::path journal(int rank) const;
};

Places find_places(const Options& options);

}  // namespace lockstep::runner
