#include "launcher/supervise/journal_intake.hpp"

#include <fmt/format.h>

#include "common/fault.hpp"
#include "launcher/supervise/say.hpp"

namespace lockstep::supervise {

using history::JournalBatch;
using history::JournalEntry;

JournalIntake::JournalIntake(const RunFolder& folder, int ranks) : run_id_(folder.run_id()) {
  for (int rank = 0; rank < ranks; ++rank) followers_.push_back({history::JournalReader(folder.journal(rank)), {}, {}});
}

// The entries that come after `taken_through`, in rising order; the batch claims all sequences up to its last, so that
// a journal with a hole (a program wrote into it by hand) does not hold up what comes after.
static JournalBatch batch_of(int rank, std::int64_t taken_through, const std::vector<JournalEntry>& entries) {
  JournalBatch batch;
  batch.rank = rank;
  batch.first_sequence = taken_through + 1;
  batch.through_sequence = taken_through;
  for (const auto& entry : entries) {
    if (entry.sequence <= batch.through_sequence) continue;
    batch.through_sequence = entry.sequence;
    for (const auto& [key, value] : entry.metrics)
      batch.metrics.push_back({key, value, entry.timestamp_ms, entry.step});
    for (const auto& [key, value] : entry.params) batch.params.push_back({key, value});
    for (const auto& [key, value] : entry.tags) batch.tags.push_back({key, value});
  }
  return batch;
}

std::size_t JournalIntake::take_new(history::Store& store) {
  std::size_t taken = 0;
  for (std::size_t each = 0; each < followers_.size(); ++each) {
    auto& [reader, waiting, taken_through] = followers_[each];
    if (waiting.empty()) waiting = reader.read_new();
    if (waiting.empty()) continue;
    const int rank = static_cast<int>(each);
    if (!taken_through) taken_through = store.journal_taken_through(run_id_, rank);
    const JournalBatch batch = batch_of(rank, *taken_through, waiting);
    if (batch.through_sequence > *taken_through) {
      for (const auto& refused : store.take_journal(run_id_, batch)) {
        say("supervisor", fmt::format("journal of rank {}: {}", rank, refused));
      }
      taken_through = batch.through_sequence;
      fault_point("supervisor.after_journal_batch");
    }
    if (rank == 0) {
      if (!first_step_) first_step_ = waiting.front().step;
      last_step_ = waiting.back().step;
    }
    taken += waiting.size();
    waiting.clear();
  }
  return taken;
}

void JournalIntake::begin_attempt() {
  first_step_.reset();
  last_step_.reset();
}

std::size_t JournalIntake::take_all(history::Store& store) {
  std::size_t all = 0;
  for (std::size_t taken = 1; taken > 0; all += taken) taken = take_new(store);
  return all;
}

}  // namespace lockstep::supervise
