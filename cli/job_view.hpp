// A run as users of Azure ML know jobs: the keys of `az ml job show` where it has them, and ours beside them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/query.hpp"
#include "cli/terminal.hpp"
#include "common/run_folder.hpp"
#include "history/store/artifacts.hpp"
#include "history/store/store.hpp"
#include "launcher/supervise/diagnosis.hpp"

namespace lockstep::cli {

// All that is known of one run.
struct JobDetails {
  history::Run run;
  std::vector<history::KeyValue> params;
  std::vector<history::KeyValue> tags;
  std::vector<history::Metric> metrics;  // the latest of each
  std::vector<history::StateChange> changes;
  std::optional<supervise::FailureLog> failure;
  std::vector<history::Artifact> artifacts;  // the top of its outputs
};
JobDetails read_details(history::Store& store, const Workspace& workspace, const std::string& run_id);

Json job_json(const history::Run& run, const Workspace& workspace);  // what a listing has
Json job_json(const JobDetails& details, const Workspace& workspace);
Json artifacts_json(const std::vector<history::Artifact>& artifacts);  // as MLflow's artifacts/list has them

std::string job_table(const std::vector<history::Run>& runs, std::int64_t now_ms, const Terminal& terminal);

// How long it ran, or runs; 0 before it started.
std::int64_t duration_ms(const history::Run& run, std::int64_t now_ms);
std::string age_text(std::int64_t milliseconds);  // "just now", "5 min ago", "3 h ago", "2 d ago"
std::string status_colour(history::RunState state);
Json number_json(double value);  // NaN and infinities as the strings of the journal's format: JSON has none

}  // namespace lockstep::cli
