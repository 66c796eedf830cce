// A training without a launcher, or whose job names a tracking server of its own, reports to $MLFLOW_TRACKING_URI: rank
// 0 sends what is in the journals, its own and those of other ranks in the same folder.
#pragma once

#include <memory>
#include <string>

#include "common/error.hpp"
#include "history/sink/report/sender.hpp"
#include "runner/places.hpp"
#include "runner/training_log.hpp"

namespace lockstep::runner {

class Reporting {
 public:
  Reporting(FileLock lock, history::report::Assignment assignment, double wait_s, TrainingLog& log);
  ~Reporting();
  Reporting(const Reporting&) = delete;
  Reporting& operator=(const Reporting&) = delete;

  // Once. "FINISHED", "FAILED", or "RUNNING" for a training that stopped and can be resumed. Waits for the server, not
  // for longer than --report-wait (after anything but success a few seconds of it), and says what it did not take.
  void finish(const std::string& state);

 private:
  FileLock lock_;
  fs::path folder_;
  double wait_s_;
  TrainingLog& log_;
  history::report::Sender sender_;
};

// For rank 0. Null when nothing is to be reported, or when it can't be (then a line says why: training goes on). A
// training that was resumed goes on with its run. Throws bad_input for settings that make no sense.
std::unique_ptr<Reporting> start_reporting(const Options& options, const Places& places, int ranks, bool resumed,
                                           TrainingLog& log);

// lockstep-train --report only.
ExitCode report_what_is_left(const Options& options);

}  // namespace lockstep::runner
