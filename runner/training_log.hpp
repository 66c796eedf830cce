// What a training leaves behind for people: metrics, parameters and progress, in the rank's journal, in TensorBoard's
// event files (rank 0) and on the display. Training never fails with it: what cannot be written costs one warning.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "history/sink/journal.hpp"
#include "history/sink/tensorboard/event_file.hpp"
#include "runner/aside_lines.hpp"
#include "runner/collective/collective.hpp"
#include "runner/display.hpp"
#include "runner/model/model.hpp"
#include "runner/places.hpp"

namespace lockstep::runner {

using Metrics = std::vector<std::pair<std::string, double>>;

// What happened since the last record, on this rank.
struct StepTimes {
  std::int64_t steps = 0;
  std::int64_t images = 0;  // over all ranks
  double seconds = 0;
  double all_reduce_s = 0;  // of them, in collective calls
};

class TrainingLog {
 public:
  // Opens the journal; throws failure when that is impossible. Without event files training goes on.
  TrainingLog(const Places& places, const Collective& collective);

  void parameters(const std::vector<std::pair<std::string, std::string>>& all, std::int64_t step);
  // A tag keeps its last value, a parameter its first.
  void tag(const std::string& name, const std::string& value, std::int64_t step);
  // What all ranks have in common: recorded by rank 0 alone.
  void metrics(std::int64_t step, const Metrics& metrics);
  // What this rank measured. Rank 0's carry the plain names, rank k's "rank-<k>/" in front.
  void own_metrics(std::int64_t step, const StepTimes& times);
  // Histograms of the model's tensors, whose numbers are `parameters` on the host. Rank 0, where there are event files.
  void weights(std::int64_t step, const std::vector<TensorInfo>& tensors, std::span<const float> parameters);
  // Rank 0, a few times a second at most.
  void progress(const history::Progress& progress);
  void note(const std::string& line) { display_.note(line); }
  // Lines of other threads: shown with the next progress, or by show_aside().
  AsideLines& aside() { return aside_; }
  void show_aside();

 private:
  void write(history::JournalEntry entry, std::int64_t step);
  void write_events(const history::JournalEntry& entry);
  void for_tensorboard(const std::function<void()>& work);

  const Collective& collective_;
  Display display_;
  AsideLines aside_;
  history::Journal journal_;
  std::optional<history::tensorboard::EventFile> events_;
  bool warned_ = false;
  bool warned_of_events_ = false;
  std::int64_t last_progress_ms_ = 0;
};

}  // namespace lockstep::runner
