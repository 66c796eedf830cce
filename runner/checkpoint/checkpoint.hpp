// Checkpoints: <folder>/step-<n>/ with model.safetensors, optimizer.safetensors and, written last, manifest.json.
// docs/checkpoints.md is the page. A folder without its manifest, or with files that differ from what the manifest
// says, is no checkpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/file.hpp"
#include "runner/checkpoint/training_state.hpp"

namespace lockstep::runner {

// Where a training stands. With the options and the data this is all that a resumed run needs: the order of the data
// and dropout are functions of (seed, step).
struct TrainingPosition {
  std::int64_t step = 0;      // updates done
  double epoch_loss_sum = 0;  // over the images of the running epoch
  std::int64_t epoch_images = 0;
};

struct CheckpointFacts {
  TrainingPosition position;
  int ranks = 1;
  std::string isa_used;  // the CPUs' instruction set; empty: GPUs computed, or a version wrote it that did not say
  // What must be equal for going on to make sense (option or fact -> value), and what else the run was told.
  std::map<std::string, std::string> identity;
  std::map<std::string, std::string> options;
};

// Saves durably: when it returns, the checkpoint survives power loss, and a death in between leaves the older ones as
// they were. Then removes all but the newest `keep`. Returns the checkpoint's folder.
fs::path save_checkpoint(const fs::path& folder, const CheckpointFacts& facts, TrainingState& state, int keep);

struct LoadedCheckpoint {
  fs::path path;
  CheckpointFacts facts;
};
using Say = std::function<void(const std::string& line)>;

// Fills the state from one checkpoint; giving it back is the caller's. Throws not_found when there is no manifest,
// failure when it is damaged, bad_input (all mismatches named) when it belongs to another model or identity. Nothing is
// changed unless all of it fits.
LoadedCheckpoint load_checkpoint(const fs::path& path, const std::map<std::string, std::string>& identity,
                                 TrainingState& state);

// The newest complete one in `folder`; damaged and incomplete ones are passed over, with a line each. nullopt: there is
// none. A complete one that does not fit this run throws bad_input.
std::optional<LoadedCheckpoint> load_latest_complete_checkpoint(const fs::path& folder,
                                                                const std::map<std::string, std::string>& identity,
                                                                TrainingState& state, const Say& say);

// The step-<n> folders, newest first, complete or not.
std::vector<fs::path> list_step_folders(const fs::path& folder);
bool has_manifest(const fs::path& checkpoint);

}  // namespace lockstep::runner
