// What a follower says about the states that a run goes through.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/terminal.hpp"
#include "common/run_folder.hpp"
#include "history/store/store.hpp"
#include "launcher/supervise/ledger.hpp"

namespace lockstep::cli {

// Why a run waits: "2 runs wait before it; it needs 1 slot, 2 of 2 are taken by brave_otter_k3x9m2pq (2 slots)".
// Empty when it does not wait.
std::string queue_text(std::span<const supervise::LedgerEntry> entries, const std::string& run_id, int machine_slots);

class StateLines {
 public:
  explicit StateLines(const RunFolder& folder) : run_id_(folder.run_id()), queue_file_(folder.queue_file()) {}

  // What to say of the changes that were not seen yet: the newest, and older ones that have a reason ("Queued: ...").
  // States that were passed between two looks are no news, nor is Running to somebody who has `seen_logs`, and terminal
  // states are left to the summary.
  std::vector<std::string> new_lines(std::span<const history::StateChange> changes, bool seen_logs);

  // "Queued: <queue_text>", when that has changed. Asks the machine's ledger at most once a second.
  std::optional<std::string> queue_line(std::int64_t now_ms);

  // The live line of a run that does not train yet: "Queued for 12 s: <queue_text>"; "" when it runs.
  std::string waiting_line(const history::Run& run, std::int64_t now_ms, const Terminal& terminal) const;

 private:
  std::string run_id_;
  fs::path queue_file_;
  std::size_t said_ = 0;
  std::int64_t since_ms_ = 0;
  std::int64_t next_look_ms_ = 0;
  std::string queue_;  // as it was said last
};

}  // namespace lockstep::cli
