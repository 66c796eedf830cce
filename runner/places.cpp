#include "runner/places.hpp"

#include <cstdlib>

namespace lockstep::runner {

// A run folder gives the journals their names; by hand they get the same ones.
fs::path Places::journal(int rank) const { return journal_folder / RunFolder(".").journal(rank).filename(); }

Places find_places(const Options& options) {
  Places places;
  const char* folder = std::getenv("LOCKSTEP_RUN_DIR");
  if (folder != nullptr && *folder != '\0') places.run.emplace(fs::path(folder));
  places.checkpoints = places.run ? places.run->checkpoints() : fs::path("checkpoints");
  places.journal_folder = places.run ? places.run->metrics() : fs::path("lockstep-train-metrics");
  if (places.run) places.output = places.run->output("model");
  if (!options.checkpoint_dir.empty()) places.checkpoints = options.checkpoint_dir;
  if (!options.journal.empty()) places.journal_folder = options.journal;
  if (!options.output.empty()) places.output = options.output;
  places.tensorboard = places.run ? places.run->tensorboard() : places.journal_folder / "tensorboard";
  if (options.tensorboard == "none")
    places.tensorboard.reset();
  else if (!options.tensorboard.empty())
    places.tensorboard = options.tensorboard;
  return places;
}

}  // namespace lockstep::runner
