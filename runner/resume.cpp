// The trainer's saving and going on: rank 0 has the files, the others get the numbers from it, so no shared file system
// is needed.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/clock.hpp"
#include "common/digest.hpp"
#include "history/sink/metric_names.hpp"
#include "runner/agreement.hpp"
#include "runner/trainer.hpp"

namespace lockstep::runner {

std::map<std::string, std::string> identity_of(const Options& options, const TrainingData& data) {
  const ImageSet& train = data.train;
  const std::string_view labels(reinterpret_cast<const char*>(train.labels.data()), train.labels.size());
  return {{"--model", options.model},
          {"--optimizer", options.optimizer},
          {"--batch-size", std::to_string(options.batch_size)},
          {"--seed", std::to_string(options.seed)},
          {"training images",
           fmt::format("{} of {}x{}x{}", train.count(), train.shape.channels, train.shape.height, train.shape.width)},
          {"SHA-256 of the training labels", sha256_hex(labels)}};
}

CheckpointFacts Trainer::facts() const {
  CheckpointFacts facts;
  facts.position = position_;
  facts.ranks = collective_.size();
  facts.isa_used = isa_used_;
  facts.identity = identity_of(options_, data_);
  for (const auto& [name, value] : as_parameters(options_)) facts.options[name] = value;
  return facts;
}

void Trainer::save() {
  if (saved_step_ == position_.step) return;
  const double started = monotonic_s();
  TrainingState state(collective_, model_, optimizer_);
  for (const auto& arena : state.all()) check_same_everywhere(collective_, arena.values, arena.name);
  agreed(collective_, [&] {  // also a barrier: nobody leaves before the checkpoint is complete
    if (collective_.rank() == 0) {
      const fs::path path = save_checkpoint(places_.checkpoints, facts(), state, options_.keep_checkpoints);
      log_.note(fmt::format("saved {}", path.string()));
    }
    return true;
  });
  log_.metrics(position_.step, {{std::string(history::metric::save_seconds), monotonic_s() - started}});
  saved_step_ = position_.step;
}

std::optional<LoadedCheckpoint> Trainer::find_checkpoint(TrainingState& state) {
  const auto identity = identity_of(options_, data_);
  const Say say = [this](const std::string& line) { log_.note(line); };
  if (options_.resume == "auto") {
    return load_latest_complete_checkpoint(places_.checkpoints, identity, state, say);
  }
  if (options_.resume != "none") return load_checkpoint(options_.resume, identity, state);
  // A later --resume auto would take up whichever run got further, so two runs never share a folder.
  const auto all = list_step_folders(places_.checkpoints);
  const auto complete = std::find_if(all.begin(), all.end(), has_manifest);
  if (complete == all.end()) return std::nullopt;
  throw bad_input(
      "--resume none, but {} is a checkpoint of an earlier run: give another --checkpoint-dir, remove it, or "
      "go on from it with --resume auto",
      complete->string());
}

// The options that change what is computed, and that a run may still change on its way.
void Trainer::adopt(const LoadedCheckpoint& checkpoint) {
  static const std::set<std::string> of_computing = {
      "epochs",       "lr",           "momentum",     "beta2",
      "weight-decay", "clip-norm",    "precision",    "gradient-precision",
      "schedule",     "dropout",      "warmup-steps", "lr-end",
      "decay-every",  "decay-factor", "blocks",       "convolutions"};
  position_ = checkpoint.facts.position;
  log_.note(
      fmt::format("goes on from {} (step {} of {})", checkpoint.path.string(), position_.step, length_.all_steps));
  for (const auto& [name, value] : as_parameters(options_)) {
    const auto was = checkpoint.facts.options.find(name);
    if (of_computing.contains(name) && was != checkpoint.facts.options.end() && was->second != value) {
      log_.note(fmt::format("  with --{} {}, until now {}", name, value, was->second));
    }
  }
  const std::string& isa_was = checkpoint.facts.isa_used;
  if (!isa_was.empty() && !isa_used_.empty() && isa_was != isa_used_) {
    log_.note(
        fmt::format("  with {} instructions, until now {}: the same data, rounded otherwise", isa_used_, isa_was));
  }
  if (checkpoint.facts.ranks == collective_.size()) return;
  const bool same_sums = blocks_of(options_.blocks, checkpoint.facts.ranks) == blocks_;
  log_.note(fmt::format("  on {} rank{}, until now {}: the same data, {}", collective_.size(),
                        collective_.size() == 1 ? "" : "s", checkpoint.facts.ranks,
                        same_sums ? "added up in the same order" : "added up in another order"));
}

void Trainer::resume() {
  TrainingState state(collective_, model_, optimizer_);
  const bool found = agreed(collective_, [&] {
    if (collective_.rank() != 0) return false;
    const auto checkpoint = find_checkpoint(state);
    if (checkpoint) adopt(*checkpoint);
    return checkpoint.has_value();
  });
  share_checkpoint(found, state);
}

void Trainer::share_checkpoint(bool found, TrainingState& state) {
  std::int64_t any = found ? 1 : 0;
  collective_.max({&any, 1});
  if (any == 0) return;
  const auto share = [this](auto span) { collective_.broadcast(std::as_writable_bytes(span), 0); };
  share(std::span(&position_, 1));
  for (const auto& arena : state.all()) share(arena.values);
  state.give_back();
  model_.parameters_were_written();
  saved_step_ = position_.step;
}

}  // namespace lockstep::runner
