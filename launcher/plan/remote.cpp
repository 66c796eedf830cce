#include "launcher/plan/remote.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "common/digest.hpp"
#include "common/error.hpp"
#include "launcher/plan/added_environment.hpp"

namespace lockstep::plan {

RemotePart& remote_of(Plan& plan) {
  if (!plan.remote) throw failure("the run is on this machine");
  return *plan.remote;
}

const RemotePart& remote_of(const Plan& plan) {
  if (!plan.remote) throw failure("the run is on this machine");
  return *plan.remote;
}

const spec::HostsEngine& hosts_of(const RemoteCompute& compute) {
  if (!compute.hosts) throw failure("the compute '{}' has no hosts", compute.name);
  return *compute.hosts;
}

const spec::SlurmEngine& slurm_of(const RemoteCompute& compute) {
  if (!compute.slurm) throw failure("the compute '{}' is no Slurm cluster", compute.name);
  return *compute.slurm;
}

int cores_of(const Plan& plan) {
  return plan.remote ? plan.remote->compute.vcpus * static_cast<int>(plan.nodes.size()) : 0;
}

bool sends_files(const Plan& plan) { return plan.remote && !plan.remote->compute.shared_files; }

RunFolder ranks_folder(const Plan& plan) { return plan.remote ? plan.remote->folder : plan.folder; }

// Two workspaces may have runs of one name.
static fs::path folder_on_nodes(const RemoteCompute& compute, const Surroundings& surroundings) {
  if (compute.shared_files) return surroundings.run_folder;
  const std::string workspace = surroundings.run_folder.parent_path().parent_path().string();
  return compute.scratch / "runs" / sha256_hex(workspace).substr(0, 16) / surroundings.run_id;
}

void go_to(const RemoteCompute& compute, const Surroundings& surroundings, Plan& plan) {
  plan.compute = compute.name;
  const auto nodes = static_cast<std::size_t>(plan.job.resources.instance_count);
  std::vector<spec::Host> hosts = compute.hosts ? compute.hosts->hosts : std::vector<spec::Host>(nodes, {"any", "any"});
  const auto wanted = std::min(hosts.size(), nodes);
  plan.remote = RemotePart{compute,
                           {hosts.begin(), hosts.begin() + static_cast<std::ptrdiff_t>(wanted)},
                           RunFolder(folder_on_nodes(compute, surroundings))};
}

static int ranks_of_node(const Plan& plan, std::size_t node) {
  return static_cast<int>(std::count_if(plan.ranks.begin(), plan.ranks.end(),
                                        [&](const Rank& rank) { return rank.node == static_cast<int>(node); }));
}

// Slurm knows its nodes by their names.
static std::string name_for_mpirun(const Plan& plan, const spec::Host& host) {
  return remote_of(plan).compute.slurm ? host.name : host.address;
}

static std::string hosts_argument(const Plan& plan) {
  std::vector<std::string> hosts;
  for (std::size_t node = 0; node < remote_of(plan).hosts.size(); ++node) {
    hosts.push_back(
        fmt::format("{}:{}", name_for_mpirun(plan, remote_of(plan).hosts[node]), ranks_of_node(plan, node)));
  }
  return fmt::format("{}", fmt::join(hosts, ","));
}

void name_nodes(Plan& plan) {
  plan.nodes.clear();
  for (const auto& host : remote_of(plan).hosts) plan.nodes.push_back(host.name);
  plan.environment["LOCKSTEP_NODES"] = addresses_of(plan);
  const auto option = std::find(plan.argv.begin(), plan.argv.end(), "--host");
  if (option != plan.argv.end() && option + 1 != plan.argv.end()) *(option + 1) = hosts_argument(plan);
}

bool is_more_than_hosts_have(const Plan& plan) {
  for (std::size_t node = 0; node < remote_of(plan).hosts.size(); ++node) {
    const auto slots = remote_of(plan).hosts[node].slots;
    if (slots && ranks_of_node(plan, node) > *slots) return true;
  }
  return false;
}

void send(const Plan& plan, InputStep& input, const fs::path& from) {
  input.sent_from = from;
  const fs::path name = from.filename().empty() ? from.parent_path().filename() : from.filename();
  input.path = remote_of(plan).folder.root() / "inputs" / input.name / name;
}

void send_and_bring(Plan& plan) {
  for (auto& input : plan.inputs) {
    if (input.how == InputStep::How::in_place) send(plan, input, input.path);
  }
  for (auto& output : plan.outputs) output.path = remote_of(plan).folder.output(output.name);
}

std::vector<std::string> remote_mpirun_argv(const Plan& plan, const Environment& environment) {
  std::vector<std::string> argv{"mpirun", "-np", std::to_string(plan.slots), "--host", hosts_argument(plan)};
  argv.insert(argv.end(), {"--bind-to", "none"});  // a person's own binding comes by OMPI_MCA_ variables
  argv.insert(argv.end(), {"--wdir", plan.working_folder.string()});
  std::vector<std::pair<std::string, std::string>> parameters;
  if (remote_of(plan).compute.hosts) {
    parameters = {{"plm_rsh_agent", "ssh"},
                  {"plm_rsh_args", "-F " + remote_of(plan).compute.ssh_config.string()},
                  {"plm_rsh_no_tree_spawn", "1"}};  // we reach each host; they need not reach each other by ssh
  }
  const std::string program = remote_of(plan).compute.node_program.string();
  if (remote_of(plan).compute.slurm && program.find(' ') == std::string::npos) {
    parameters = {{"orte_launch_agent", program + " --shielded orted"}};  // a preemption's TERM is for the ranks
  }
  const std::vector<std::pair<std::string, std::string>> always{
      {"oob_tcp_keepalive_time", "5"},  // a host that is cut off is noticed in 13 s; by default not in eight minutes
      {"oob_tcp_keepalive_intvl", "2"},
      {"oob_tcp_keepalive_probes", "3"},
      {"shmem_mmap_enable_nfs_warning", "0"},
  };
  parameters.insert(parameters.end(), always.begin(), always.end());
  if (plan.oversubscribed) parameters.emplace_back("mpi_yield_when_idle", "1");
  for (const auto& [name, value] : parameters) {
    if (environment.contains("OMPI_MCA_" + name)) continue;
    argv.insert(argv.end(), {"--mca", name, value});
  }
  // The ranks' own folder. For mpirun, which runs here, the variable is the folder on this machine.
  argv.insert(argv.end(), {"-x", "LOCKSTEP_RUN_DIR=" + remote_of(plan).folder.root().string()});
  return argv;
}

std::vector<std::string> mpirun_once_per_node(const Plan& plan, const std::string& program, int timeout_s) {
  const auto end = std::find(plan.argv.begin(), plan.argv.end(), remote_of(plan).compute.node_program.string());
  std::vector<std::string> argv(plan.argv.begin(), end);
  std::vector<std::string> hosts;
  for (const auto& host : remote_of(plan).hosts) hosts.push_back(name_for_mpirun(plan, host) + ":1");
  for (const auto& [option, value] :
       std::initializer_list<std::pair<const char*, std::string>>{{"-np", std::to_string(hosts.size())},
                                                                  {"--host", fmt::format("{}", fmt::join(hosts, ","))},
                                                                  {"--wdir", "/"}}) {
    const auto found = std::find(argv.begin(), argv.end(), option);
    if (found != argv.end() && found + 1 != argv.end()) *(found + 1) = value;
  }
  argv.insert(argv.end(), {"--timeout", std::to_string(timeout_s), program});
  return argv;
}

std::vector<std::string> ranks_variables(const Plan& plan) {
  std::vector<std::string> names;
  for (const auto& [name, value] : plan.environment) {
    // Programs lie elsewhere on another machine: only a job's own PATH is taken there.
    const bool is_ours = name == "PATH" && !plan.job.environment_variables.contains("PATH");
    if (!is_ours && name != "LOCKSTEP_RUN_DIR" && !name.starts_with("OMPI_")) names.push_back(name);
  }
  return names;
}

void export_variables(std::vector<std::string>& argv, const std::vector<std::string>& names) {
  std::vector<std::string> options;
  for (const auto& name : names) options.insert(options.end(), {"-x", name});
  argv.insert(std::find(argv.begin(), argv.end(), "--host"), options.begin(), options.end());
}

}  // namespace lockstep::plan
