#include "cli/compute_nodes.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "api/job_json.hpp"
#include "cli/output.hpp"
#include "cli/text_table.hpp"
#include "common/error.hpp"
#include "common/nearest.hpp"
#include "launcher/compute/definitions.hpp"
#include "launcher/compute/local.hpp"
#include "launcher/hosts/node_preparation.hpp"
#include "launcher/hosts/ssh.hpp"
#include "launcher/supervise/ledger.hpp"

namespace lockstep::cli {

namespace {

plan::RemoteCompute hosts_named(const Workspace& workspace, const std::string& name) {
  auto compute = hosts::compute_of(compute::find(workspace, name), this_program());
  if (!compute.hosts)
    throw bad_input("'{}' is a Slurm cluster: `srun --pty --nodelist=NODE bash` is a shell there", name);
  return compute;
}

// By address: the run that has it.
std::map<std::string, std::string> taken_hosts() {
  std::map<std::string, std::string> taken;
  for (const auto& each : supervise::Ledger(runtime_folder(), compute::this_machine().slots).entries()) {
    if (!each.running) continue;
    for (const auto& host : claimed(each)) taken[host] = each.run_id;
  }
  return taken;
}

std::string gib_text(std::int64_t bytes) { return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1 << 30)); }

std::vector<Node> nodes_of_hosts(const Workspace& workspace, const spec::Compute& compute) {
  const plan::RemotePart remote{hosts::compute_of(compute, this_program())};
  const auto taken = taken_hosts();
  auto reports =
      hosts::preflight(workspace, remote, plan::hosts_of(remote.compute).hosts, this_program(), [] { return false; });
  hosts::add_failed_preparations(remote, reports);
  std::vector<Node> nodes;
  for (const auto& each : reports) nodes.push_back(node_of(each, taken));
  return nodes;
}

std::vector<Node> nodes_of_cluster(const spec::SlurmEngine& engine) {
  const auto queue = slurm::queue(engine, runtime_folder() / "slurm");
  std::vector<Node> nodes;
  for (const auto& each : slurm::nodes_of(engine)) nodes.push_back(node_of(each, queue));
  return nodes;
}

int list_nodes(const std::string& name, const OutputOptions& output) {
  const Workspace workspace = Workspace::find();
  const spec::Compute compute = compute::find(workspace, name);
  const auto nodes = compute.slurm ? nodes_of_cluster(*compute.slurm) : nodes_of_hosts(workspace, compute);
  Json all = Json::array();
  for (const auto& each : nodes) all.push_back(node_json(each));
  print(all, output, [&](const Terminal& terminal) { return node_table(nodes, terminal); });
  return 0;
}

[[noreturn]] void become_ssh(const std::string& name, const std::string& node, const std::vector<std::string>& words) {
  const auto compute = hosts_named(Workspace::find(), name);
  const auto& all = plan::hosts_of(compute).hosts;
  const auto host =
      node.empty() && all.size() == 1 ? all.begin() : std::find_if(all.begin(), all.end(), [&](const auto& each) {
        return each.name == node || each.address == node;
      });
  if (host == all.end()) {
    std::vector<std::string> names;
    for (const auto& each : all) names.push_back(each.name);
    throw not_found("the compute '{}' has no node '{}'{}; it has {}", name, node, did_you_mean(node, names),
                    fmt::join(names, ", "));
  }
  hosts::write_ssh_config(plan::hosts_of(compute), compute.ssh_config);
  auto argv = hosts::ssh_argv(compute.ssh_config, host->address, words, {"-o", "BatchMode=no"});
  if (words.empty()) argv.pop_back();  // a shell
  std::vector<char*> pointers;
  for (auto& each : argv) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  ::execvp(pointers[0], pointers.data());
  throw system_failure("cannot start ssh");
}

}  // namespace

Node node_of(const hosts::HostReport& report, const std::map<std::string, std::string>& taken) {
  Node node{report.host.name, report.host.address, "idle", ""};
  node.slots = report.host.slots;
  node.problems = report.problems;
  if (const auto run = taken.find(report.host.address); run != taken.end()) {
    node.job = run->second;
    node.state = "running";
  }
  if (!report.problems.empty()) node.state = "unusable";
  if (!report.probe) return node;
  node.host_name = report.probe->host;
  node.open_mpi = report.probe->open_mpi;
  node.cores = report.probe->cores;
  node.gpus = report.probe->gpus;
  node.memory_bytes = report.probe->memory_bytes;
  node.disk_free_bytes = report.probe->disk_free_bytes;
  return node;
}

Node node_of(const slurm::NodeRow& row, const std::vector<slurm::QueueRow>& queue) {
  Node node{row.name, row.address, row.state, job_on(queue, row.name)};
  node.cores = row.cores;
  node.memory_bytes = row.memory_bytes;
  node.gres = row.gres;
  if (!row.reason.empty()) node.problems.push_back(fmt::format("{}: {}", row.name, row.reason));
  return node;
}

Json node_json(const Node& node) {
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return {{"node_id", node.name},
          {"address", node.address},
          {"state", node.state},
          {"run_id", text_or_null(node.job)},
          {"host_name", text_or_null(node.host_name)},
          {"open_mpi", text_or_null(node.open_mpi)},
          {"gres", text_or_null(node.gres)},
          {"slots", api::optional_json(node.slots)},
          {"cores", api::optional_json(node.cores)},
          {"gpus", api::optional_json(node.gpus)},
          {"memory_bytes", api::optional_json(node.memory_bytes)},
          {"disk_free_bytes", api::optional_json(node.disk_free_bytes)},
          {"problems", node.problems}};
}

std::string node_table(const std::vector<Node>& nodes, const Terminal& terminal) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& each : nodes) {
    rows.push_back({each.name, each.state, each.job, each.cores ? std::to_string(*each.cores) : "",
                    each.memory_bytes ? gib_text(*each.memory_bytes) : "",
                    each.gpus ? std::to_string(*each.gpus) : each.gres, each.address});
  }
  std::string text = text_table({{"NODE"},
                                 {"STATE"},
                                 {"JOB"},
                                 {"CORES", true, false},
                                 {"MEMORY", true, false},
                                 {"GPUS", true, false},
                                 {"ADDRESS"}},
                                rows, terminal);
  for (const auto& each : nodes) {
    for (const auto& problem : each.problems) text += problem + "\n";
  }
  return text;
}

void add_node_commands(const Command& compute) {
  struct ListArguments {
    std::string name;
    OutputOptions output;
  };
  const Command list = compute.add("list-nodes", "Look at each node of a compute: what it has, whether it is well",
                                   "lockstep compute list-nodes lab\n"
                                   "lockstep compute list-nodes lab --query \"[?state=='unusable'].problems\"");
  auto listed = std::make_shared<ListArguments>();
  add_name(list, listed->name, "The compute");
  add_output_options(list, listed->output);
  list.does([listed] { return list_nodes(listed->name, listed->output); });

  struct SshArguments {
    std::string name;
    std::string node;
    std::vector<std::string> words;
  };
  const Command ssh = compute.add("ssh", "A shell or a command on a node, by ssh",
                                  "lockstep compute ssh lab node-1\n"
                                  "lockstep compute ssh lab node-1 -- nvidia-smi");
  auto asked = std::make_shared<SshArguments>();
  add_name(ssh, asked->name, "The compute");
  ssh.option("node", asked->node, "NODE", "The node; may be left out where there is one only");
  ssh.option("command", asked->words, "COMMAND", "What to run there, after --; without it a shell");
  ssh.does([asked]() -> int { become_ssh(asked->name, asked->node, asked->words); });
}

}  // namespace lockstep::cli
