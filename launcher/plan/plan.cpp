#include "launcher/plan/plan.hpp"

#include <algorithm>

#include "launcher/plan/added_environment.hpp"
#include "launcher/plan/mpirun.hpp"
#include "launcher/plan/notes.hpp"
#include "launcher/plan/problems.hpp"
#include "launcher/plan/references.hpp"
#include "launcher/plan/steps.hpp"
#include "launcher/spec/expression.hpp"

namespace lockstep::plan {

namespace {
constexpr std::int64_t most_ranks = 1024;  // of one machine: mpirun and its kernel objects, not a guess at need
constexpr std::size_t longest_argument = 128 * 1024;  // Linux: MAX_ARG_STRLEN, the terminating null included

void check_what_exists(const spec::CommandJob& job, Problems& problems) {
  if (!job.compute.empty()) {
    problems.add("compute",
                 "'{}' is not known here: this version has one compute, 'local' (this machine); remove the "
                 "key, or add --set compute=local",
                 job.compute);
  }
  const auto type = job.distribution.type;
  if (type == spec::DistributionType::pytorch || type == spec::DistributionType::tensorflow) {
    problems.add("distribution.type",
                 "'{}' is read, but this version starts mpi and jobs without a distribution; use `type: mpi`",
                 type == spec::DistributionType::pytorch ? "pytorch" : "tensorflow");
  }
  const std::int64_t ranks =
      std::int64_t{job.resources.instance_count} * std::int64_t{job.distribution.process_count_per_instance};
  if (ranks < 1 || ranks > most_ranks) {
    problems.add("resources.instance_count", "{} nodes with {} ranks each are {} ranks; one machine runs 1 to {}",
                 job.resources.instance_count, job.distribution.process_count_per_instance, ranks, most_ranks);
  }
  for (const auto& [name, value] : job.environment_variables) {
    if (is_reserved(name)) {
      problems.add("environment_variables." + name, "is set by lockstep itself, which finds a run's processes by it");
    }
  }
}

// Variables of whoever submits the run: a job file that was kept with a run has ${{secrets.X}} in place of values.
Environment secrets_of(const spec::CommandJob& job, const Environment& host, Problems& problems) {
  Environment secrets;
  const auto look_into = [&](const std::string& key, const std::string& text) {
    for (const auto& reference : spec::references_in(text, [](std::size_t, const std::string&) {})) {
      if (reference.path.size() != 2 || reference.path[0] != "secrets") continue;
      const auto found = host.find(reference.path[1]);
      if (found == host.end()) {
        problems.add(key, "${{{{secrets.{0}}}}} has no value: set the variable {0} where you submit the run",
                     reference.path[1]);
      } else {
        secrets.insert(*found);
      }
    }
  };
  for (const auto& [variable, value] : job.environment_variables) look_into("environment_variables." + variable, value);
  for (const auto& [name, input] : job.inputs) look_into("inputs." + name + ".path", input.path);
  return secrets;
}

// The inputs with their addresses whole. A secret without a value is a problem already.
std::map<std::string, spec::Input> whole_inputs(const Plan& plan) {
  std::map<std::string, spec::Input> inputs = plan.job.inputs;
  for (auto& [name, input] : inputs) {
    input.path = spec::resolve(input.path, [&](const std::vector<std::string>& path) -> std::optional<std::string> {
      if (path.size() != 2 || path[0] != "secrets") return std::nullopt;
      const auto secret = plan.secrets.find(path[1]);
      return secret == plan.secrets.end() ? "" : secret->second;
    });
  }
  return inputs;
}

void place_ranks(Plan& plan, const LocalCompute& compute, int nodes, int ranks_per_node) {
  for (int node = 0; node < nodes; ++node) {
    plan.nodes.push_back(nodes == 1 ? compute.host_name : fmt::format("{}/{}", compute.host_name, node));
    for (int local_rank = 0; local_rank < ranks_per_node; ++local_rank) {
      plan.ranks.push_back({node * ranks_per_node + local_rank, node, local_rank});
    }
  }
  plan.slots = static_cast<int>(plan.ranks.size());
  plan.oversubscribed = plan.slots > compute.slots;
}

// Azure ML starts a command without a distribution once on every node; more than one node are mpirun's ranks then too.
std::vector<std::string> argv_of(const Plan& plan, const Surroundings& surroundings, bool with_mpirun) {
  std::vector<std::string> argv;
  if (with_mpirun) {
    Environment visible = surroundings.host_environment;
    for (const auto& [name, value] : plan.job.environment_variables) visible[name] = value;
    argv = mpirun_argv(plan.slots, plan.oversubscribed, visible);
  }
  argv.insert(argv.end(), {surroundings.lockstep_program.string(), "entrypoint"});
  if (plan.nodes.size() > 1) {
    argv.insert(argv.end(), {"--procs-per-node", std::to_string(plan.ranks.size() / plan.nodes.size())});
  }
  argv.insert(argv.end(), {"--", "bash", "-c", plan.command});
  return argv;
}

// mpirun takes a lone ":" for the end of one program and the start of the next.
std::string as_argument(const std::string& command) { return command == ":" ? ": " : command; }
}  // namespace

Plan plan(const spec::CommandJob& job, const LocalCompute& compute, const Surroundings& surroundings) {
  Problems problems;
  check_what_exists(job, problems);
  Plan plan;
  plan.job = job;
  plan.run_id = surroundings.run_id;
  plan.experiment_name = surroundings.experiment_name;
  plan.display_name = surroundings.display_name;
  plan.user = surroundings.user;
  plan.folder = RunFolder(surroundings.run_folder);
  plan.working_folder = plan.folder.snapshot();
  plan.timeout_s = job.timeout_s;
  plan.code = code_folder(job, problems);
  plan.secrets = secrets_of(job, surroundings.host_environment, problems);
  plan.inputs = input_steps(job, whole_inputs(plan), problems);
  plan.outputs = output_steps(job, plan.folder, problems);
  problems.throw_if_any();

  const bool mpi = job.distribution.type == spec::DistributionType::mpi;
  place_ranks(plan, compute, job.resources.instance_count, mpi ? job.distribution.process_count_per_instance : 1);
  const bool with_mpirun = mpi || plan.nodes.size() > 1;
  plan.command = as_argument(resolve_in(plan, job.command));
  if (plan.command.size() >= longest_argument) {
    throw bad_input(
        "command: {} bytes long after its expressions are replaced; the system takes {} at most: put it "
        "into a script in `code`",
        plan.command.size(), longest_argument - 1);
  }
  plan.argv = argv_of(plan, surroundings, with_mpirun);
  plan.environment = base_environment(plan, surroundings, with_mpirun);
  add_path_variables(plan);
  plan.notes = notes_for(plan, compute);
  return plan;
}

void set_input_path(Plan& plan, const std::string& name, const fs::path& path) {
  const auto input =
      std::find_if(plan.inputs.begin(), plan.inputs.end(), [&](const InputStep& each) { return each.name == name; });
  if (input == plan.inputs.end()) throw failure("the plan has no input '{}'", name);
  input->path = path;
  add_path_variables(plan);
}

std::vector<std::string> launch_argv(const Plan& plan) {
  for (const auto& input : plan.inputs) {
    const bool arrived = input.how != InputStep::How::fetch || !input.path.empty();
    if (!arrived) throw failure("input '{}' has not been fetched yet", input.name);
  }
  std::vector<std::string> argv = plan.argv;
  argv.back() = as_argument(resolve_in(plan, plan.job.command));
  return argv;
}

}  // namespace lockstep::plan
