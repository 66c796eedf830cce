#include "runner/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "common/clock.hpp"
#include "history/sink/metric_names.hpp"
#include "runner/agreement.hpp"
#include "runner/choose_device.hpp"
#include "runner/host_copy.hpp"
#include "runner/stop_signals.hpp"

namespace lockstep::runner {

namespace metric = history::metric;

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

// A CPU's losses are there with the step. To look at a GPU's is to wait for it, so they are looked at together.
static int steps_between_looks(const Options& options, const kernels::Device& device) {
  constexpr std::int64_t most = 1024;
  return device.memory_is_the_hosts() ? 1 : static_cast<int>(std::min(options.log_every, most));
}

Trainer::Trainer(const Options& options, Collective& collective, const Sums& sums, const Places& places,
                 const TrainingData& data, Model& model, Optimizer& optimizer, TrainingLog& log, std::string isa_used)
    : options_(options),
      collective_(collective),
      places_(places),
      data_(data),
      model_(model),
      optimizer_(optimizer),
      log_(log),
      isa_used_(std::move(isa_used)),
      length_(training_length(options, data.train.count())),
      schedule_(schedule_of(options, length_.all_steps)),
      blocks_(blocks_of(options.blocks, collective.size())),
      blocks_here_(blocks_ / collective.size()),
      block_sum_(model.device(), model.stream(), model.gradients(), blocks_here_),
      sharded_(sums.sharded),
      gradient_sum_(sharded_ != nullptr ? nullptr : sums.whole.get(), model.stream(), model.gradients(),
                    overlap_of(options, collective, model.device())),
      losses_(model.device(), model.stream(), blocks_here_, steps_between_looks(options, model.device())) {
  if (options.cuda_graph == "on") {
    recorded_ = std::make_unique<RecordedSteps>(model.device(), model.stream(), sums.whole.get());
  }
}

Ending Trainer::run() {
  run_started_s_ = epoch_started_s_ = monotonic_s();
  run_first_step_ = position_.step;
  const TrainingOrder order{options_.seed, options_.batch_size, collective_.rank(), collective_.size()};
  const int most = largest_share(std::min(options_.batch_size, data_.train.count()), collective_.size());
  Prefetcher batches(model_.device(), data_.train, data_.scaling, order, position_.step, length_.end_step);
  Upload upload(model_.device(), model_.stream(), most, data_.train.image_size());
  while (position_.step < length_.end_step) {
    upload.wait_for_the_one_before();
    const double rate = learning_rate(schedule_, position_.step);
    Wishes wishes = train_one_step(upload.put(batches.next(), optimizer_.numbers(rate, position_.step)), rate);
    const bool due = options_.checkpoint_every > 0 && position_.step % options_.checkpoint_every == 0;
    const bool saves = due || wishes.save || wishes.stop;
    if (saves && losses_.entries() > 0) wishes.stop |= agree_on_wishes(true).stop;  // a wish to save is met, too
    record_weights();
    if (position_.step % length_.steps_per_epoch == 0) end_epoch();
    if (saves) save();
    if (wishes.stop && position_.step < length_.end_step) return Ending::stopped_early;
  }
  return Ending::completed;
}

Trainer::Wishes Trainer::train_one_step(const BatchView& batch, double learning_rate) {
  const double started = monotonic_s();
  compute_and_update(batch);
  losses_.end();
  images_of_entries_.push_back(batch.global_count);
  ++position_.step;
  last_validation_.reset();
  const Wishes wishes = agree_on_wishes(losses_are_due());
  count_times(monotonic_s() - started, batch.global_count);
  if (records_here()) record(learning_rate);
  report_progress();
  return wishes;
}

void Trainer::compute_and_update(const BatchView& batch) {
  const auto work = [&] {
    compute(batch);
    update(batch.now);
  };
  recorded_ ? recorded_->run({batch.images, batch.global_count}, work) : work();
}

void Trainer::compute(const BatchView& batch) {
  const float scale = 1.0F / static_cast<float>(batch.global_count);
  losses_.begin();
  for (int block = 0; block < blocks_here_; ++block) {
    const auto ready = [&](std::size_t begin, std::size_t end) {
      block_sum_.take(block, begin, end);
      if (block + 1 == blocks_here_) gradient_sum_.ready(begin, end);
    };
    const Range range = share_of(batch.global_count, collective_.rank() * blocks_here_ + block, blocks_);
    model_.train(batch.part(range), scale, batch.now, losses_.block(block), ready);
  }
}

// With parts, a rank gets the sum of its own part's gradients alone, and gives its part of the parameters to the
// others.
void Trainer::update(const kernels::StepNumbers* now) {
  gradient_sum_.finish();
  if (sharded_ != nullptr) {
    sharded_->start_reduce_scatter(model_.gradients(), model_.stream());
    sharded_->join(model_.stream());
  }
  optimizer_.update(now);
  if (sharded_ == nullptr) return;
  sharded_->start_all_gather(model_.parameters(), model_.stream());
  sharded_->join(model_.stream());
  model_.parameters_were_written();
}

bool Trainer::records_here() const {
  return position_.step % options_.log_every == 0 || position_.step == length_.end_step;
}

bool Trainer::losses_are_due() const {
  return losses_.full() || records_here() || position_.step % length_.steps_per_epoch == 0;
}

// One small sum per step carries what any rank was asked to do, so all ranks act on the same step, and the losses when
// they are wanted.
Trainer::Wishes Trainer::agree_on_wishes(bool with_losses) {
  const bool save_here = save_requested();
  if (save_here) forget_save_request();
  std::vector<double> totals{stop_requested() ? 1.0 : 0.0, save_here ? 1.0 : 0.0};
  constexpr std::size_t wishes = 2;
  if (with_losses) {
    for (const LossBook::Entry& entry : losses_.take()) totals.push_back(entry.loss);
  }
  const double before = monotonic_s();
  collective_.sum(std::span<double>(totals));
  small_sums_s_ = monotonic_s() - before;
  if (with_losses) take_in(std::span(totals).subspan(wishes));
  return {totals[0] > 0, totals[1] > 0};
}

// `losses`: of the steps up to position_.step, summed over the global batch of each.
void Trainer::take_in(std::span<const double> losses) {
  for (std::size_t i = 0; i < losses.size(); ++i) {
    loss_ = losses[i] / static_cast<double>(images_of_entries_[i]);
    if (!std::isfinite(loss_)) {
      const std::int64_t step = position_.step - static_cast<std::int64_t>(losses.size() - 1 - i);
      throw AgreedError(ExitCode::failed,
                        fmt::format("the loss is {} at step {}: training diverged; try a smaller --lr or a longer "
                                    "--warmup-steps",
                                    loss_, step),
                        collective_.rank() == 0);
    }
    position_.epoch_loss_sum += losses[i];
    position_.epoch_images += images_of_entries_[i];
  }
  images_of_entries_.clear();
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
  since_look_s_ += seconds;
  ++steps_since_look_;
  if (losses_.entries() > 0) return;  // the device may still be at it
  const double step_s = std::exchange(since_look_s_, 0) / static_cast<double>(std::exchange(steps_since_look_, 0));
  constexpr double newest_share = 0.1;
  smooth_step_s_ = smooth_step_s_ == 0 ? step_s : (1 - newest_share) * smooth_step_s_ + newest_share * step_s;
}

void Trainer::record(double learning_rate) {
  log_.metrics(position_.step,
               {{std::string(metric::train_loss), loss_}, {std::string(metric::learning_rate), learning_rate}});
  log_.own_metrics(position_.step, since_record_);
  since_record_ = {};
}

void Trainer::record_weights() {
  if (collective_.rank() != 0 || options_.weight_histograms == 0) return;
  if (position_.step % options_.weight_histograms != 0) return;
  const HostCopy copy(model_.device(), model_.stream(), model_.parameters());
  log_.weights(position_.step, model_.tensors(), copy.values());
}

void Trainer::report_progress() {
  if (losses_.entries() > 0) return;  // nothing new is known
  history::Progress progress;
  progress.epoch = static_cast<int>(length_.epoch_of(position_.step - 1)) + 1;
  progress.epochs = static_cast<int>(length_.epochs);
  progress.step = position_.step;
  progress.steps = length_.end_step;
  progress.loss = loss_;
  progress.samples_per_s = static_cast<double>(options_.batch_size) / smooth_step_s_;
  const double step_s = (monotonic_s() - run_started_s_) / static_cast<double>(position_.step - run_first_step_);
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
  const double now = monotonic_s();
  line += fmt::format("  {:.1f} s", now - epoch_started_s_);
  if (epoch_gradient_times_.in_flight_s > 0 && overlap_of(options_, collective_, model_.device()) == Overlap::on) {
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
