// Takes the journals of a run's ranks into the store, live and to the last line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/run_folder.hpp"
#include "history/sink/journal.hpp"
#include "history/store/store.hpp"

namespace lockstep::supervise {

class JournalIntake {
 public:
  // Every rank-<k>.jsonl with k < ranks. Entries that the store has already are left out.
  JournalIntake(const RunFolder& folder, int ranks);

  // Takes what has come since the last call, one transaction a rank. What the store could not take (Error is thrown:
  // locked, disk full) is kept and tried again by the next call. Returns the number of entries taken.
  std::size_t take_new(history::Store& store);
  std::size_t take_all(history::Store& store);  // until nothing is left

  // Where rank 0 stood, in steps: as the first and the last entry say that were taken since begin_attempt(). nullopt:
  // none was.
  std::optional<std::int64_t> first_step() const { return first_step_; }
  std::optional<std::int64_t> last_step() const { return last_step_; }
  void begin_attempt();

 private:
  struct Follower {
    history::JournalReader reader;
    std::vector<history::JournalEntry> waiting;
    std::optional<std::int64_t> taken_through;  // what the store has; asked once, then counted
  };
  std::string run_id_;
  std::vector<Follower> followers_;  // by rank
  std::optional<std::int64_t> first_step_;
  std::optional<std::int64_t> last_step_;
};

}  // namespace lockstep::supervise
