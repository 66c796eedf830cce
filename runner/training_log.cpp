#include "runner/training_log.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "history/sink/metric_names.hpp"
#include "history/sink/tensorboard/event.hpp"

namespace lockstep::runner {

namespace tensorboard = history::tensorboard;

static fs::path ready_journal(const Places& places, int rank) {
  fs::create_directories(places.journal_folder);
  return places.journal(rank);
}

TrainingLog::TrainingLog(const Places& places, const Collective& collective)
    : collective_(collective),
      display_(choose_display(collective.rank(), places.run.has_value())),
      journal_(ready_journal(places, collective.rank()), collective.rank()) {
  if (collective.rank() != 0 || !places.tensorboard) return;
  for_tensorboard([&] { events_.emplace(*places.tensorboard); });
}

void TrainingLog::write(history::JournalEntry entry, std::int64_t step) {
  entry.step = step;
  entry.collective = collective_.started();
  entry.timestamp_ms = now_ms();
  try {
    journal_.log(entry);
  } catch (const Error& error) {
    if (!warned_) fmt::print(stderr, "rank {}: metrics are not recorded: {}\n", collective_.rank(), error.what());
    warned_ = true;
  }
  write_events(entry);
}

void TrainingLog::for_tensorboard(const std::function<void()>& work) {
  std::string problem;
  try {
    return work();
  } catch (const std::exception& error) {
    problem = error.what();
  }
  if (!warned_of_events_) fmt::print(stderr, "rank {}: nothing for TensorBoard: {}\n", collective_.rank(), problem);
  warned_of_events_ = true;
}

void TrainingLog::write_events(const history::JournalEntry& entry) {
  if (!events_) return;
  const tensorboard::Moment moment{entry.step, entry.timestamp_ms};
  std::string records;
  if (!entry.metrics.empty()) records += tensorboard::record(tensorboard::scalars_event(moment, entry.metrics));
  if (!entry.params.empty()) {
    records +=
        tensorboard::record(tensorboard::text_event(moment, "parameters", tensorboard::markdown_table(entry.params)));
  }
  if (!records.empty()) for_tensorboard([&] { events_->append(records); });
}

void TrainingLog::weights(std::int64_t step, const std::vector<TensorInfo>& tensors,
                          std::span<const float> parameters) {
  if (!events_) return;
  const tensorboard::Moment moment{step, now_ms()};
  std::string records;
  for (const TensorInfo& each : tensors) {
    const auto buckets = tensorboard::buckets_of(parameters.subspan(each.offset, each.count));
    records += tensorboard::record(tensorboard::histogram_event(moment, each.name, buckets));
  }
  for_tensorboard([&] { events_->append(records); });
}

void TrainingLog::parameters(const std::vector<std::pair<std::string, std::string>>& all, std::int64_t step) {
  if (collective_.rank() != 0) return;
  history::JournalEntry entry;
  entry.params = all;
  write(std::move(entry), step);
}

void TrainingLog::tag(const std::string& name, const std::string& value, std::int64_t step) {
  if (collective_.rank() != 0) return;
  history::JournalEntry entry;
  entry.tags = {{name, value}};
  write(std::move(entry), step);
}

void TrainingLog::metrics(std::int64_t step, const Metrics& metrics) {
  if (collective_.rank() != 0) return;
  history::JournalEntry entry;
  entry.metrics = metrics;
  write(std::move(entry), step);
}

void TrainingLog::own_metrics(std::int64_t step, const StepTimes& times) {
  if (times.steps == 0 || times.seconds <= 0) return;
  const std::string prefix = collective_.rank() == 0 ? "" : fmt::format("rank-{}/", collective_.rank());
  history::JournalEntry entry;
  const auto add = [&](std::string_view name, double value) {
    entry.metrics.emplace_back(prefix + std::string(name), value);
  };
  add(history::metric::step_time_ms, 1000 * times.seconds / static_cast<double>(times.steps));
  add(history::metric::all_reduce_share, times.all_reduce_s / times.seconds);
  if (collective_.rank() == 0) add(history::metric::samples_per_s, static_cast<double>(times.images) / times.seconds);
  write(std::move(entry), step);
}

void TrainingLog::progress(const history::Progress& progress) {
  constexpr std::int64_t between_ms = 250;
  if (collective_.rank() != 0 || monotonic_ms() - last_progress_ms_ < between_ms) return;
  last_progress_ms_ = monotonic_ms();
  history::JournalEntry entry;
  entry.progress = progress;
  write(std::move(entry), progress.step);
  show_aside();
  display_.progress(progress);
}

void TrainingLog::show_aside() {
  for (const std::string& line : aside_.take()) note(line);
}

}  // namespace lockstep::runner
