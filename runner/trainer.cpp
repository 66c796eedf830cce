#include "runner/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "history/sink/metric_names.hpp"
#include "runner/agreement.hpp"
#include "runner/stop_signals.hpp"

namespace lockstep::runner {

namespace metric = history::metric;

static double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

TrainingLength training_length(const Options& options, std::int64_t images) {
  TrainingLength length;
  length.steps_per_epoch = steps_per_epoch(images, options.batch_size);
  length.epochs = options.epochs;
  length.all_steps = length.steps_per_epoch * length.epochs;
  length.end_step = options.max_steps > 0 ? std::min(options.max_steps, length.all_steps) : length.all_steps;
  return length;
}

static Schedule schedule_of(const Options& options, std::int64_t all_steps) {
  Schedule schedule;
  schedule.kind = options.schedule == "cosine" ? ScheduleKind::cosine
                  : options.schedule == "step" ? ScheduleKind::step
                                               : ScheduleKind::constant;
  schedule.peak = options.learning_rate;
  schedule.lowest = options.lowest_rate;
  schedule.warmup_steps = options.warmup_steps;
  schedule.total_steps = all_steps;
  schedule.decay_every = options.decay_every;
  schedule.decay_factor = options.decay_factor;
  return schedule;
}

// On one machine the ranks' cores do the adding up too, so there is nothing to hide it behind.
static Overlap overlap_of(const Options& options, const Collective& collective) {
  if (options.overlap == "auto") return collective.one_machine() ? Overlap::off : Overlap::on;
  return options.overlap == "on" ? Overlap::on : Overlap::off;
}

Trainer::Trainer(const Options& options, Collective& collective, const Places& places, const TrainingData& data,
                 Model& model, Optimizer& optimizer, TrainingLog& log)
    : options_(options),
      collective_(collective),
      places_(places),
      data_(data),
      model_(model),
      optimizer_(optimizer),
      log_(log),
      length_(training_length(options, data.train.count())),
      schedule_(schedule_of(options, length_.all_steps)),
      blocks_(blocks_of(options.blocks, collective.size())),
      blocks_here_(blocks_ / collective.size()),
      block_sum_(model.gradients(), blocks_here_),
      gradient_sum_(collective, model.gradients(), overlap_of(options, collective)) {}

Ending Trainer::run() {
  run_started_s_ = epoch_started_s_ = seconds_now();
  run_first_step_ = position_.step;
  const TrainingOrder order{options_.seed, options_.batch_size, collective_.rank(), collective_.size()};
  Prefetcher batches(data_.train, data_.scaling, order, position_.step, length_.end_step);
  while (position_.step < length_.end_step) {
    const Wishes wishes = train_one_step(batches.next());
    if (position_.step % length_.steps_per_epoch == 0) end_epoch();
    const bool due = options_.checkpoint_every > 0 && position_.step % options_.checkpoint_every == 0;
    if (due || wishes.save || wishes.stop) save();
    if (wishes.stop && position_.step < length_.end_step) return Ending::stopped_early;
  }
  return Ending::completed;
}

Trainer::Wishes Trainer::train_one_step(const LoadedBatch& batch) {
  const double started = seconds_now();
  const double rate = learning_rate(schedule_, position_.step);
  const BatchResult result = compute(batch);
  gradient_sum_.finish();
  const Wishes wishes = sum_results(result, batch);
  optimizer_.update(rate, position_.step);
  ++position_.step;
  last_validation_.reset();
  count_times(seconds_now() - started, batch.global_count);
  if (position_.step % options_.log_every == 0 || position_.step == length_.end_step) record(rate);
  report_progress();
  return wishes;
}

BatchResult Trainer::compute(const LoadedBatch& batch) {
  const float scale = 1.0F / static_cast<float>(batch.global_count);
  std::vector<double> losses;
  BatchResult all;
  for (int block = 0; block < blocks_here_; ++block) {
    const auto ready = [&](std::size_t begin, std::size_t end) {
      block_sum_.take(block, begin, end);
      if (block + 1 == blocks_here_) gradient_sum_.ready(begin, end);
    };
    const Range range = share_of(batch.global_count, collective_.rank() * blocks_here_ + block, blocks_);
    const BatchResult result =
        model_.train(batch.part(range), scale, static_cast<std::uint64_t>(position_.step), ready);
    losses.push_back(result.loss_sum);
    all.correct += result.correct;
  }
  all.loss_sum = pairwise_sum(losses);
  return all;
}

// One small sum per step carries the loss and what any rank was asked to do, so all ranks act on the same step.
Trainer::Wishes Trainer::sum_results(const BatchResult& result, const LoadedBatch& batch) {
  const bool save_here = save_requested();
  if (save_here) forget_save_request();
  std::array<double, 3> totals{result.loss_sum, stop_requested() ? 1.0 : 0.0, save_here ? 1.0 : 0.0};
  const double before = seconds_now();
  collective_.sum(std::span<double>(totals));
  small_sums_s_ = seconds_now() - before;
  loss_ = totals[0] / static_cast<double>(batch.global_count);
  if (!std::isfinite(loss_)) {
    throw AgreedError(ExitCode::failed,
                      fmt::format("the loss is {} at step {}: training diverged; try a smaller --lr or a longer "
                                  "--warmup-steps",
                                  loss_, position_.step + 1),
                      collective_.rank() == 0);
  }
  position_.epoch_loss_sum += totals[0];
  position_.epoch_images += batch.global_count;
  return {totals[1] > 0, totals[2] > 0};
}

void Trainer::count_times(double seconds, std::int64_t images) {
  const GradientSumTimes gradients = gradient_sum_.take_times();
  epoch_gradient_times_.blocked_s += gradients.blocked_s;
  epoch_gradient_times_.in_flight_s += gradients.in_flight_s;
  for (StepTimes* times : {&since_record_, &total_times_}) {
    ++times->steps;
    times->images += images;
    times->seconds += seconds;
    times->all_reduce_s += collective_.size() > 1 ? gradients.blocked_s + small_sums_s_ : 0;
  }
  constexpr double newest_share = 0.1;
  smooth_step_s_ = smooth_step_s_ == 0 ? seconds : (1 - newest_share) * smooth_step_s_ + newest_share * seconds;
}

void Trainer::record(double learning_rate) {
  log_.metrics(position_.step,
               {{std::string(metric::train_loss), loss_}, {std::string(metric::learning_rate), learning_rate}});
  log_.own_metrics(position_.step, since_record_);
  since_record_ = {};
}

void Trainer::report_progress() {
  history::Progress progress;
  progress.epoch = static_cast<int>(length_.epoch_of(position_.step - 1)) + 1;
  progress.epochs = static_cast<int>(length_.epochs);
  progress.step = position_.step;
  progress.steps = length_.end_step;
  progress.loss = loss_;
  progress.samples_per_s = static_cast<double>(options_.batch_size) / smooth_step_s_;
  const double step_s = (seconds_now() - run_started_s_) / static_cast<double>(position_.step - run_first_step_);
  progress.seconds_left = step_s * static_cast<double>(length_.end_step - position_.step);
  log_.progress(progress);
}

void Trainer::end_epoch() {
  const double train_loss = position_.epoch_loss_sum / static_cast<double>(position_.epoch_images);
  Metrics metrics = {{std::string(metric::epoch_train_loss), train_loss}};
  std::string line =
      fmt::format("epoch {}/{}  train loss {:.4f}", length_.epoch_of(position_.step), length_.epochs, train_loss);
  if (data_.validation() != nullptr) {
    last_validation_ = evaluate(model_, *data_.validation(), data_.scaling, collective_, blocks_);
    metrics.emplace_back(metric::validation_loss, last_validation_->loss);
    metrics.emplace_back(metric::validation_accuracy, last_validation_->accuracy);
    line +=
        fmt::format("  validation loss {:.4f}  accuracy {:.4f}", last_validation_->loss, last_validation_->accuracy);
  }
  const double now = seconds_now();
  line += fmt::format("  {:.1f} s", now - epoch_started_s_);
  if (epoch_gradient_times_.in_flight_s > 0 && overlap_of(options_, collective_) == Overlap::on) {
    line += fmt::format("  overlap {:.0f} %", 100 * epoch_gradient_times_.overlap());
  }
  log_.metrics(position_.step, metrics);
  log_.note(line);
  position_.epoch_loss_sum = 0;
  position_.epoch_images = 0;
  epoch_gradient_times_ = {};
  epoch_started_s_ = now;
}

}  // namespace lockstep::runner
