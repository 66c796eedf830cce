#include "launcher/hosts/doctor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "common/clock.hpp"
#include "common/digest.hpp"
#include "common/error.hpp"
#include "launcher/entrypoint/entrypoint.hpp"
#include "launcher/hosts/network.hpp"
#include "launcher/hosts/node_preparation.hpp"
#include "launcher/hosts/preflight.hpp"
#include "launcher/slurm/admission.hpp"
#include "launcher/slurm/nodes.hpp"

namespace lockstep::hosts {

namespace {

using machine::Finding;
using machine::Health;

// "node-1: its disk is full: free some": what was found, and what to do, are parted by the colon behind the node's own.
Finding of_problem(const std::string& of, const std::string& node, const std::string& text) {
  const std::size_t begin = text.starts_with(node + ": ") ? node.size() + 2 : 0;
  const auto colon = text.find(": ", begin);
  const std::string remedy = colon == std::string::npos ? "" : text.substr(colon + 2);
  const std::string found = text.substr(0, colon);
  return {of, Health::broken, true, of == node ? found.substr(begin) : found, remedy};
}

std::string found_on(const node::Probe& probe) {
  return fmt::format("{} cores, {:.1f} GiB, {} GPUs, Open MPI {}", probe.cores,
                     static_cast<double>(probe.memory_bytes) / (1 << 30), probe.gpus, probe.open_mpi);
}

// A run on all of these that does nothing: what mpirun is told is the same.
plan::Plan idle_run(plan::RemoteCompute compute, std::vector<spec::Host> nodes, const Workspace& workspace) {
  compute.network_check = true;  // runs may do without it; whoever asks a doctor wants to know
  spec::CommandJob job;
  job.command = "true";
  job.distribution.type = spec::DistributionType::mpi;
  job.resources.instance_count = static_cast<int>(nodes.size());
  plan::Surroundings around;
  around.run_id = "doctor-" + random_hex(8);  // no run's
  around.run_folder = workspace.run(around.run_id).root();
  around.lockstep_program = this_program();
  around.host_environment = current_environment();
  around.as_root = true;  // who is not does not mind
  plan::Plan plan = plan::plan(job, compute, around);
  plan::place(plan, std::move(nodes));
  return plan;
}

void look_at_network(const plan::Plan& plan, const std::function<bool()>& canceled, std::vector<Finding>& findings) {
  Environment environment = current_environment();
  entrypoint::drop_rank_environment(environment);
  for (const auto& [name, value] : plan.environment) environment.insert_or_assign(name, value);
  const auto report = check_network(plan, environment, canceled);
  if (!report.problem.empty()) {
    const std::string node = report.bad ? plan.nodes[*report.bad] : "";
    findings.push_back(of_problem("messages between them", node, report.problem));
  } else if (!report.measured.empty()) {
    findings.push_back({"messages between them", Health::ok, true, report.measured, ""});
  }
}

std::vector<Finding> examine_hosts(const Workspace& workspace, const plan::RemoteCompute& compute,
                                   const std::function<bool()>& canceled) {
  const plan::RemotePart remote{compute};
  auto reports = preflight(workspace, remote, plan::hosts_of(compute).hosts, this_program(), canceled);
  add_failed_preparations(remote, reports);
  std::vector<Finding> findings;
  std::vector<spec::Host> well;
  for (const auto& each : reports) {
    for (const auto& problem : each.problems) findings.push_back(of_problem(each.host.name, each.host.name, problem));
    const auto& probe = each.probe;
    if (!probe || !each.problems.empty()) continue;
    findings.push_back({each.host.name, Health::ok, true, found_on(*probe), ""});
    well.push_back(each.host);
  }
  if (well.size() > 1) look_at_network(idle_run(compute, well, workspace), canceled, findings);
  return findings;
}

void look_at_nodes(const spec::SlurmEngine& engine, std::vector<Finding>& findings) {
  const auto nodes = slurm::nodes_of(engine);
  const std::string partition = engine.partition.empty() ? "its default partition" : "partition " + engine.partition;
  if (nodes.empty()) {
    findings.push_back(
        {"nodes", Health::broken, true, partition + " has none", "engine.partition: one of `sinfo -o %P`"});
    return;
  }
  std::map<std::string, int> states;
  for (const auto& each : nodes) ++states[each.state];
  std::vector<std::string> words;
  for (const auto& [state, count] : states) words.push_back(fmt::format("{} {}", count, state));
  findings.push_back({"nodes", Health::ok, true, fmt::format("{}: {}", partition, fmt::join(words, ", ")), ""});
  for (const auto& each : nodes) {
    if (each.state != "unusable") continue;
    findings.push_back({each.name, Health::broken, false, each.reason.empty() ? "unusable" : each.reason,
                        fmt::format("once that is mended: scontrol update nodename={} state=resume", each.name)});
  }
}

std::vector<Finding> examine_cluster(const spec::SlurmEngine& engine) {
  std::vector<Finding> findings;
  const auto search = value_of(current_environment(), "PATH");
  for (const char* const each : {"salloc", "srun", "squeue", "sinfo", "scontrol", "scancel", "sbatch"}) {
    if (find_program(each, search)) continue;
    findings.push_back({"Slurm's commands", Health::missing, true, fmt::format("no {} in PATH", each),
                        "install them (Debian: slurm-client)"});
    return findings;
  }
  if (!engine.config_file.empty() && !fs::exists(engine.config_file)) {
    findings.push_back({"slurm.conf", Health::missing, true, fmt::format("no {}", engine.config_file.string()),
                        "start the cluster, or set engine.config_file"});
    return findings;
  }
  try {
    look_at_nodes(engine, findings);
    slurm::Request request;
    request.name = "lockstep-doctor";
    const std::string never = slurm::refusal_of(engine, request);
    findings.push_back({"a run on one node", never.empty() ? Health::ok : Health::broken, true,
                        never.empty() ? "Slurm would start it" : never,
                        never.empty() ? "" : "look at partition, account, qos and options of the engine"});
  } catch (const Error& error) {
    findings.push_back({"slurmctld", Health::broken, true, error.what(), "try: scontrol ping"});
  }
  return findings;
}

}  // namespace

std::vector<Finding> examine_compute(const Workspace& workspace, const spec::Compute& compute,
                                     const std::function<bool()>& canceled) {
  const auto remote = compute_of(compute, this_program());
  return remote.slurm ? examine_cluster(*remote.slurm) : examine_hosts(workspace, remote, canceled);
}

}  // namespace lockstep::hosts
