#include "cli/submission.hpp"

#include <unistd.h>

#include "cli/save_time.hpp"
#include "common/error.hpp"
#include "common/trace.hpp"
#include "history/store/run_name.hpp"
#include "launcher/compute/definitions.hpp"
#include "launcher/compute/local.hpp"
#include "launcher/compute/quotas.hpp"
#include "launcher/hosts/preflight.hpp"
#include "launcher/hosts/reach.hpp"
#include "launcher/slurm/admission.hpp"
#include "launcher/spec/read_job.hpp"
#include "launcher/supervise/cores.hpp"

namespace lockstep::cli {

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

static plan::Compute compute_of(const spec::CommandJob& job, const Workspace& workspace,
                                const plan::Surroundings& around) {
  if (job.compute.empty()) return compute::this_machine();
  const spec::Compute found = with_purpose("compute", [&] { return compute::find(workspace, job.compute); });
  return hosts::compute_of(found, around.lockstep_program);
}

static bool is_elastic(const SubmissionOptions& options) { return options.elastic || options.min_nodes; }

static void check_elastic(plan::Plan& plan, const SubmissionOptions& options) {
  if (!is_elastic(options)) return;
  const auto nodes = static_cast<int>(plan.nodes.size());
  const int least = options.min_nodes.value_or(1);
  if (least < 1 || least > nodes) throw bad_input("--min-nodes wants 1 to {}, the run's nodes, not {}", nodes, least);
  if (options.max_restarts == 0) throw bad_input("an elastic run begins again: --max-restarts 1 or more");
  if (!plan.remote) plan.notes.emplace_back("--elastic has no effect on this machine: it has no nodes to lose");
}

plan::Plan plan_job(const SubmissionOptions& options, const Workspace& workspace) {
  if (options.stop_grace_s < 0) throw bad_input("--stop-grace wants seconds, 0 or more, not {}", options.stop_grace_s);
  const int restarts = options.max_restarts.value_or(0);
  if (restarts < 0) throw bad_input("--max-restarts wants a number, 0 or more, not {}", restarts);
  spec::CommandJob job = spec::read_job_file(options.file, options.sets);
  const plan::Surroundings around = surroundings_of(job, options, workspace);
  plan::Plan plan = plan::plan(job, compute_of(job, workspace, around), around);
  if (auto problems = compute::check(plan); !problems.empty()) throw InputErrors(std::move(problems));
  check_elastic(plan, options);
  return plan;
}

static void look_at_quotas(const plan::Plan& plan, const Workspace& workspace) {
  const std::string never = supervise::never_within(compute::quotas(workspace), plan);
  if (!never.empty()) throw bad_input("compute '{}': {}", plan.compute, never);
}

// Said at once, not when the run has waited for its turn.
static void look_at_hosts(const plan::Plan& plan, const Workspace& workspace) {
  const plan::RemotePart& remote = plan::remote_of(plan);
  const auto& compute = remote.compute;
  if (compute.slurm) {
    const fs::path& config = compute.slurm->config_file;
    if (!config.empty() && !fs::exists(config)) {  // Slurm's own commands would look for it for a minute
      throw failure("compute '{}': there is no {}: is the cluster up?", plan.compute, config.string());
    }
    const std::string refusal = slurm::refusal_of(*compute.slurm, hosts::slurm_request(plan));
    const std::string licenses = slurm::licenses_text(*compute.slurm, plan::cores_of(plan));
    if (!refusal.empty())
      throw bad_input("compute '{}': {}{}", plan.compute, refusal,
                      licenses.empty() ? "" : fmt::format(" (it asks for --licenses={})", licenses));
    return;
  }
  const auto reports =
      hosts::preflight(workspace, remote, plan::hosts_of(compute).hosts, this_program(), [] { return false; });
  std::vector<Diagnostic> problems;
  std::size_t well = 0;
  for (const auto& each : reports) {
    if (each.problems.empty()) ++well;
    for (const auto& text : each.problems) problems.push_back({fmt::format("compute '{}'", plan.compute), 0, 0, text});
  }
  if (well < plan.nodes.size()) throw InputErrors(std::move(problems));
  for (const auto& each : problems) fmt::print(stderr, "note: {}\n", each.text());
}

Submitted submit_job(const SubmissionOptions& options, const Workspace& workspace) {
  plan::Plan plan = plan_job(options, workspace);
  trace("planned");
  look_at_quotas(plan, workspace);
  if (plan.remote) look_at_hosts(plan, workspace);
  for (auto& note : save_time_notes(plan, workspace, options.stop_grace_s)) plan.notes.push_back(std::move(note));
  supervise::Limits limits;
  limits.stop_grace_s = options.stop_grace_s;
  const bool elastic = is_elastic(options) && plan.remote;
  limits.max_restarts = options.max_restarts.value_or(elastic ? restarts_of_elastic : 0);
  limits.preemptible = plan.remote.has_value();
  if (elastic) limits.least_nodes = options.min_nodes.value_or(1);
  supervise::Started started = supervise::submit(workspace, plan, limits);
  return {std::move(plan), std::move(started)};
}

}  // namespace lockstep::cli
