// What a run's folder tells of it without history.jsonl.gz: its job and plan, how it ended, its journals.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/run_folder.hpp"
#include "history/store/store.hpp"

namespace lockstep::supervise {

class FolderHistory {
 public:
  explicit FolderHistory(const RunFolder& folder);  // bad_input: there is no whole plan, so it never was a run

  const history::Experiment& experiment() const { return experiment_; }
  // Of a run without state.json: one that an owner left, for close_if_abandoned to end.
  const history::ImportedRun& run() const { return run_; }
  bool has_ended() const { return history::is_terminal(run_.run.run.state); }
  history::NextSeries series() const;  // what the journals hold, without what the store would leave out

 private:
  void read_plan();
  void read_job();
  void read_ending();
  void read_journals();

  RunFolder folder_;
  int ranks_ = 0;
  history::Experiment experiment_;
  history::ImportedRun run_;
};

}  // namespace lockstep::supervise
