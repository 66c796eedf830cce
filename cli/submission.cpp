#include "cli/submission.hpp"

#include <pwd.h>
#include <unistd.h>

#include "common/error.hpp"
#include "common/trace.hpp"
#include "history/store/run_name.hpp"
#include "launcher/compute/local.hpp"
#include "launcher/spec/read_job.hpp"

namespace lockstep::cli {

static std::string user_name() {
  const passwd* entry = ::getpwuid(::geteuid());
  if (entry != nullptr) return entry->pw_name;
  return std::to_string(::geteuid());
}

// MLflow's and Azure ML's default is the folder that one submits from; "/" has no name.
static std::string experiment_of_folder() {
  const std::string name = fs::current_path().filename().string();
  return name.empty() ? "Default" : name;
}

static plan::Surroundings surroundings_of(spec::CommandJob& job, const SubmissionOptions& options,
                                          const Workspace& workspace) {
  if (!options.name.empty()) job.name = options.name;
  const history::RunName generated = history::generate_run_name();
  plan::Surroundings around;
  around.run_id = job.name.empty() ? generated.run_id : job.name;
  around.run_folder = workspace.run(around.run_id).root();
  around.cache_folder = cache_folder();
  around.lockstep_program = this_program();
  around.experiment_name = job.experiment_name.empty() ? experiment_of_folder() : job.experiment_name;
  around.display_name = job.display_name.empty() ? generated.display_name : job.display_name;
  around.user = user_name();
  around.host_environment = current_environment();
  around.as_root = ::geteuid() == 0;
  return around;
}

plan::Plan plan_job(const SubmissionOptions& options, const Workspace& workspace) {
  if (options.stop_grace_s < 0) throw bad_input("--stop-grace wants seconds, 0 or more, not {}", options.stop_grace_s);
  spec::CommandJob job = spec::read_job_file(options.file, options.sets);
  const plan::Surroundings around = surroundings_of(job, options, workspace);
  plan::Plan plan = plan::plan(job, compute::this_machine(), around);
  if (auto problems = compute::check(plan); !problems.empty()) throw InputErrors(std::move(problems));
  return plan;
}

Submitted submit_job(const SubmissionOptions& options, const Workspace& workspace) {
  plan::Plan plan = plan_job(options, workspace);
  trace("planned");
  supervise::Limits limits;
  limits.stop_grace_s = options.stop_grace_s;
  supervise::Started started = supervise::submit(workspace, plan, limits);
  return {std::move(plan), std::move(started)};
}

}  // namespace lockstep::cli
