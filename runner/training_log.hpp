// What a training leaves behind for people: metrics, parameters and progress, in the rank's journal and on the display.
// Training never fails with it: a journal that cannot be written costs one warning.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "history/sink/journal.hpp"
#include "runner/collective/collective.hpp"
#include "runner/display.hpp"
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
  // Opens the journal; throws failure when that is impossible.
  TrainingLog(const Places& places, const Collective& collective);

  void parameters(const std::vector<std::pair<std::string, std::string>>& all, std::int64_t step);
  // What all ranks have in common: recorded by rank 0 alone.
  void metrics(std::int64_t step, const Metrics& metrics);
  // What this rank measured. Rank 0's carry the plain names, rank k's "rank-<k>/" in front.
  void own_metrics(std::int64_t step, const StepTimes& times);
  // Rank 0, a few times a second at most.
  void progress(const history::Progress& progress);
  void note(const std::string& line) { display_.note(line); }

 private:
  void write(history::JournalEntry entry, std::int64_t step);

  const Collective& collective_;
  Display display_;
  history::Journal journal_;
  bool warned_ = false;
  std::int64_t last_progress_ms_ = 0;
};

}  // namespace lockstep::runner
