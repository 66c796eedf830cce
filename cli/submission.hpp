// From a job file to a run: what `run`, `job create` and `job validate` share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/run_folder.hpp"
#include "launcher/plan/plan.hpp"
#include "launcher/supervise/supervisor.hpp"

namespace lockstep::cli {

struct SubmissionOptions {
  std::string file;
  std::vector<std::string> sets;  // "a.b.c=v"
  std::string name;               // empty: the job's, else a generated one
  int stop_grace_s = supervise::Limits{}.stop_grace_s;
  int max_restarts = 0;
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
