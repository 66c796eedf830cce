#include "launcher/plan/plan.hpp"

#include <algorithm>

#include "launcher/plan/added_environment.hpp"
#include "launcher/plan/mpirun.hpp"
#include "launcher/plan/notes.hpp"
#include "launcher/plan/problems.hpp"
#include "launcher/plan/ranks.hpp"
#include "launcher/plan/references.hpp"
#include "launcher/plan/remote.hpp"
#include "launcher/plan/steps.hpp"
#include "launcher/spec/expression.hpp"

namespace lockstep::plan {

namespace {
constexpr std::int64_t most_ranks = 1024;  // of one machine: mpirun and its kernel objects, not a guess at need
constexpr std::size_t longest_argument = 128 * 1024;  // Linux: MAX_ARG_STRLEN, the terminating null included

void check_ranks(const spec::CommandJob& job, Problems& problems) {
  const std::int64_t nodes = job.resources.instance_count;
  if (job.distribution.type == spec::DistributionType::tensorflow) {
    const std::int64_t workers = job.distribution.worker_count.value_or(job.resources.instance_count);
    const std::int64_t servers = job.distribution.parameter_server_count;
    if (workers + servers > most_ranks) {
      problems.add("distribution.worker_count",
                   "{} workers and {} parameter servers; one machine runs 1 to {} processes", workers, servers,
                   most_ranks);
    } else if (workers + servers < nodes) {
      problems.add("resources.instance_count", "{} nodes are too many for {} workers and {} parameter servers", nodes,
                   workers, servers);
    }
    return;
  }
  const std::int64_t per_node = job.distribution.process_count_per_instance;
  if (nodes * per_node < 1 || nodes * per_node > most_ranks) {
    problems.add("resources.instance_count", "{} nodes with {} ranks each are {} ranks; one machine runs 1 to {}",
                 nodes, per_node, nodes * per_node, most_ranks);
  }
}

void check_what_exists(const spec::CommandJob& job, const Compute& compute, Problems& problems) {
  check_ranks(job, problems);
  const auto* remote = std::get_if<RemoteCompute>(&compute);
  if (remote != nullptr && remote->most_nodes && job.resources.instance_count > *remote->most_nodes) {
    problems.add("resources.instance_count", "{} nodes; the compute '{}' has {}", job.resources.instance_count,
                 remote->name, *remote->most_nodes);
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

void place_ranks(Plan& plan, const Compute& compute, const entrypoint::Layout& layout) {
  if (const auto* local = std::get_if<LocalCompute>(&compute)) {
    for (int node = 0; node < layout.nodes; ++node) {
      plan.nodes.push_back(layout.nodes == 1 ? local->host_name : fmt::format("{}/{}", local->host_name, node));
    }
  }
  plan.ranks = ranks_of(layout);
  plan.slots = static_cast<int>(plan.ranks.size());
  if (plan.remote) {
    plan.oversubscribed = is_more_than_hosts_have(plan);
  } else {
    plan.oversubscribed = plan.slots > std::get<LocalCompute>(compute).slots;
  }
}

// Several processes are mpirun's, whatever the toolkit: it starts them on all nodes, and ends all when one fails.
std::vector<std::string> argv_of(const Plan& plan, const Surroundings& surroundings, const entrypoint::Layout& layout,
                                 bool with_mpirun) {
  std::vector<std::string> argv;
  if (with_mpirun) {
    Environment visible = surroundings.host_environment;
    for (const auto& [name, value] : plan.job.environment_variables) visible[name] = value;
    argv = plan.remote ? remote_mpirun_argv(plan, visible) : mpirun_argv(plan.slots, plan.oversubscribed, visible);
  }
  if (plan.remote) {
    argv.push_back(plan.remote->compute.node_program.string());
  } else {
    argv.insert(argv.end(), {surroundings.lockstep_program.string(), "entrypoint"});
  }
  for (std::string& each : entrypoint_options(plan, layout)) argv.push_back(std::move(each));
  argv.insert(argv.end(), {"--", "bash", "-c", plan.command});
  return argv;
}

// mpirun takes a lone ":" for the end of one program and the start of the next.
std::string as_argument(const std::string& command) { return command == ":" ? ": " : command; }

void check_length(const char* key, const std::string& command) {
  if (command.size() < longest_argument) return;
  throw bad_input(
      "{}: {} bytes long after its expressions are replaced; the system takes {} at most: put it into a script in "
      "`code`",
      key, command.size(), longest_argument - 1);
}
}  // namespace

Plan plan(const spec::CommandJob& job, const Compute& compute, const Surroundings& surroundings) {
  Problems problems;
  check_what_exists(job, compute, problems);
  Plan plan;
  plan.job = job;
  plan.run_id = surroundings.run_id;
  plan.experiment_name = surroundings.experiment_name;
  plan.display_name = surroundings.display_name;
  plan.user = surroundings.user;
  plan.folder = RunFolder(surroundings.run_folder);
  if (const auto* remote = std::get_if<RemoteCompute>(&compute)) go_to(*remote, surroundings, plan);
  plan.working_folder = ranks_folder(plan).snapshot();
  plan.timeout_s = job.timeout_s;
  plan.code = code_folder(job, problems);
  plan.secrets = secrets_of(job, surroundings.host_environment, problems);
  plan.inputs = input_steps(job, whole_inputs(plan), problems);
  plan.outputs = output_steps(job, plan.folder, problems);
  if (sends_files(plan)) send_and_bring(plan);
  problems.throw_if_any();

  const entrypoint::Layout layout = layout_of(job);
  place_ranks(plan, compute, layout);
  if (plan.remote) name_nodes(plan);
  plan.ports = has_tasks(layout) ? plan.slots : 1;
  const auto type = job.distribution.type;
  const bool is_mpi = type == spec::DistributionType::mpi || type == spec::DistributionType::horovod;
  const bool with_mpirun = is_mpi || plan.ranks.size() > 1 || plan.remote;
  plan.command = as_argument(resolve_in(plan, job.command));
  plan.preparation = as_argument(resolve_in(plan, job.preparation));
  check_length("command", plan.command);
  check_length("preparation", plan.preparation);
  plan.argv = argv_of(plan, surroundings, layout, with_mpirun);
  plan.environment = base_environment(plan, surroundings, with_mpirun);
  add_path_variables(plan);
  if (plan.remote) export_variables(plan.argv, ranks_variables(plan));
  plan.notes = notes_for(plan, compute);
  return plan;
}

void set_input_path(Plan& plan, const std::string& name, const fs::path& path) {
  const auto input =
      std::find_if(plan.inputs.begin(), plan.inputs.end(), [&](const InputStep& each) { return each.name == name; });
  if (input == plan.inputs.end()) throw failure("the plan has no input '{}'", name);
  input->path = path;
  if (sends_files(plan)) send(plan, *input, path);
  add_path_variables(plan);
}

void place(Plan& plan, std::vector<spec::Host> nodes) {
  remote_of(plan).hosts = std::move(nodes);
  name_nodes(plan);
}

std::vector<spec::Host> hosts_at(const Plan& plan, const std::vector<std::string>& addresses) {
  const RemotePart& remote = remote_of(plan);
  std::vector<spec::Host> nodes;
  for (const auto& address : addresses) {
    const auto& all = hosts_of(remote.compute).hosts;
    const auto host = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.address == address; });
    if (host == all.end()) throw failure("the compute '{}' has no host {}", remote.compute.name, address);
    nodes.push_back(*host);
  }
  return nodes;
}

std::vector<std::string> launch_argv(const Plan& plan, const std::vector<std::string>& added_variables) {
  for (const auto& input : plan.inputs) {
    const bool arrived = input.how != InputStep::How::fetch || !input.path.empty();
    if (!arrived) throw failure("input '{}' has not been fetched yet", input.name);
  }
  std::vector<std::string> argv = plan.argv;
  argv.back() = as_argument(resolve_in(plan, plan.job.command));
  const auto option = std::find(argv.begin(), argv.end(), preparation_option);
  if (!plan.preparation.empty() && option != argv.end() && option + 1 != argv.end()) {
    *(option + 1) = as_argument(resolve_in(plan, plan.job.preparation));
  }
  if (plan.remote) export_variables(argv, added_variables);
  return argv;
}

}  // namespace lockstep::plan
