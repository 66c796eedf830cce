// The training loop of one rank.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "runner/block_sum.hpp"
#include "runner/checkpoint/checkpoint.hpp"
#include "runner/collective/collective.hpp"
#include "runner/collective/gradient_sum.hpp"
#include "runner/collective/sharded_sums.hpp"
#include "runner/data/upload.hpp"
#include "runner/evaluate.hpp"
#include "runner/loss_book.hpp"
#include "runner/optimizer/schedule.hpp"
#include "runner/recorded_steps.hpp"
#include "runner/training_data.hpp"
#include "runner/training_log.hpp"

namespace lockstep::runner {

// How long a training is.
struct TrainingLength {
  std::int64_t steps_per_epoch = 1;
  std::int64_t epochs = 1;
  std::int64_t all_steps = 1;  // of all epochs: what schedules span
  std::int64_t end_step = 1;   // where this run ends: all_steps, or --max-steps if that is less

  std::int64_t epoch_of(std::int64_t step) const { return step / steps_per_epoch; }  // counts from 0
};
TrainingLength training_length(const Options& options, std::int64_t images);

enum class Ending { completed, stopped_early };

class Trainer {
 public:
  // Everything but isa_used must outlive the trainer: the CPUs' instruction set, or empty. The model takes
  // evaluation_batch images, and those of a block, in one call.
  Trainer(const Options& options, Collective& collective, const Sums& sums, const Places& places,
          const TrainingData& data, Model& model, Optimizer& optimizer, TrainingLog& log, std::string isa_used);

  // Collective. As --resume says; throws AgreedError when that is impossible.
  void resume();
  // Collective. Trains from where it stands to the end, or until a rank is asked to stop (then it has saved).
  Ending run();

  const TrainingPosition& position() const { return position_; }
  const TrainingLength& length() const { return length_; }
  int blocks() const { return blocks_; }
  // The judgement of the last finished epoch in this process, if there was one at the present position.
  const std::optional<Evaluation>& last_validation() const { return last_validation_; }
  const StepTimes& total_times() const { return total_times_; }

 private:
  struct Wishes {
    bool stop = false;
    bool save = false;
  };
  Wishes train_one_step(const BatchView& batch, double learning_rate);
  void compute_and_update(const BatchView& batch);
  void compute(const BatchView& batch);
  void update(const kernels::StepNumbers* now);
  bool records_here() const;
  bool losses_are_due() const;
  Wishes agree_on_wishes(bool with_losses);
  void take_in(std::span<const double> losses);
  void count_times(double seconds, std::int64_t images);
  void record(double learning_rate);
  void record_weights();
  void report_progress();
  void end_epoch();
  void save();
  void adopt(const LoadedCheckpoint& checkpoint);
  std::optional<LoadedCheckpoint> find_checkpoint(TrainingState& state);
  void share_checkpoint(bool found, TrainingState& state);
  CheckpointFacts facts() const;

  const Options& options_;
  Collective& collective_;
  const Places& places_;
  const TrainingData& data_;
  Model& model_;
  Optimizer& optimizer_;
  TrainingLog& log_;
  std::string isa_used_;
  TrainingLength length_;
  Schedule schedule_;
  int blocks_;       // of a global batch
  int blocks_here_;  // of them this rank's
  BlockSum block_sum_;
  ShardedSums* sharded_;  // null: every rank updates all parameters
  GradientSum gradient_sum_;
  LossBook losses_;
  std::unique_ptr<RecordedSteps> recorded_;      // null: each step's work is given to the device anew
  std::vector<std::int64_t> images_of_entries_;  // of the global batches whose losses are in the book

  TrainingPosition position_;
  double loss_ = 0;          // of the last step that is known, over the global batch
  double small_sums_s_ = 0;  // of the running step, in the collectives beside the gradients'
  double since_look_s_ = 0;  // of the steps whose losses are not known yet
  std::int64_t steps_since_look_ = 0;
  double smooth_step_s_ = 0;  // of recent steps
  StepTimes since_record_;
  StepTimes total_times_;
  GradientSumTimes epoch_gradient_times_;
  double epoch_started_s_ = 0;
  double run_started_s_ = 0;
  std::int64_t run_first_step_ = 0;
  std::optional<std::int64_t> saved_step_;
  std::optional<Evaluation> last_validation_;
};

// What a checkpoint must have in common with a run that goes on from it.
std::map<std::string, std::string> identity_of(const Options& options, const TrainingData& data);

}  // namespace lockstep::runner
