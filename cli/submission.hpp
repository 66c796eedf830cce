// From a job file to a run: what `run`, `job create` and `job validate` share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/run_folder.hpp"
#include "launcher/plan/plan.hpp"
#include "launcher/supervise/supervisor.hpp"

namespace lockstep::cli {

inline constexpr int restarts_of_elastic = 3;  // unless it is told how many

struct SubmissionOptions {
  std::string file;
  std::vector<std::string> sets;  // "a.b.c=v"
  std::string name;               // empty: the job's, else a generated one
  int stop_grace_s = supervise::Limits{}.stop_grace_s;
  std::optional<int> max_restarts;  // nullopt: none; of an elastic run some
  bool elastic = false;
  std::optional<int> min_nodes;  // with how few an elastic run goes on; given, it makes a run elastic
};

// Reads, plans and checks. Throws with every mistake at once; nothing is created.
plan::Plan plan_job(const SubmissionOptions& options, const Workspace& workspace);

// plan_job, then the run and its supervisor exist.
struct Submitted {
  plan::Plan plan;
  supervise::Started started;
};
Submitted submit_job(const SubmissionOptions& options, const Workspace& workspace);

}  // namespace lockstep::cli
