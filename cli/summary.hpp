// What is said at the end of a run: the execution summary, as Azure ML has it, and what to try next.
#pragma once

#include <string>

#include "cli/job_view.hpp"

namespace lockstep::cli {

struct SummaryOptions {
  bool show_failed_log = true;  // the first failing rank's last lines; not when they were the last thing on the screen
  bool show_curve = true;
};

// The curve of train_loss (else of the first metric that was logged more than twice) comes first. Lines, no newline at
// the end.
std::string summary_text(const JobDetails& details, history::Store& store, const Workspace& workspace,
                         const SummaryOptions& options, const Terminal& terminal);

// Which of a run's metrics its curve shows; "" if there is none.
std::string curve_metric(const JobDetails& details, history::Store& store);

}  // namespace lockstep::cli
