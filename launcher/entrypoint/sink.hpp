// What the parent of a rank tells of it (`--sink FOLDER`): how it ended, its last lines, and what the machine did.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "history/sink/journal.hpp"
#include "launcher/entrypoint/entrypoint.hpp"
#include "launcher/machine/system_metrics.hpp"

namespace lockstep::entrypoint {

// FOLDER/rank-<k>.log has the command's output, which is copied to ours; FOLDER/rank-<k>/rank-<k>.jsonl is a journal
// (history/sink/journal.hpp) of tags and, by the first rank of a node, of system metrics. Where MLFLOW_TRACKING_URI is
// a server's and MLFLOW_RUN_ID names a run, the journal is brought there, too.
fs::path stoppable_file_of_sink(const fs::path& folder, int rank);  // LOCKSTEP_STOPPABLE_FILE, outside of a run

class Sink {
 public:
  Sink(const fs::path& folder, const RankPlace& place, const Environment& environment);  // throws failure
  ~Sink();

  // In the child: its output goes to the log from now on.
  void take_output() const;

  void look();  // copies new output, takes samples when it is time
  void note(
      const std::string& text);  // a line of our own, in the log and in the journal (tag lockstep.rank_<k>.notice)
  void end(int wait_status);     // after the command; brings the rest to the server, for five seconds at most

 private:
  class Reporter;

  void begin_to_report();
  void copy_output();
  std::string last_lines() const;

  std::string tag_prefix_;
  std::string metric_prefix_;
  fs::path log_;
  Fd log_in_;
  std::int64_t copied_ = 0;
  history::Journal journal_;
  std::optional<machine::SystemMetrics> machine_;
  std::int64_t sampling_interval_ms_ = 0;
  std::int64_t next_sample_ms_ = 0;
  std::function<std::unique_ptr<Reporter>()> make_reporter_;  // until the first look: threads come after the fork
  std::unique_ptr<Reporter> reporter_;                        // null: nowhere to
};

}  // namespace lockstep::entrypoint
