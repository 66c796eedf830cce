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
#include "launcher/hosts/ssh.hpp"
#include "launcher/supervise/ledger.hpp"

namespace lockstep::cli {

namespace {

plan::RemotePart hosts_named(const Workspace& workspace, const std::string& name) {
  plan::RemotePart remote{hosts::compute_of(compute::find(workspace, name), this_program())};
  if (!remote.compute.hosts) {
    throw bad_input("'{}' is a Slurm cluster: `sinfo` lists its nodes, `srun` reaches them", name);
  }
  return remote;
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

int list_nodes(const std::string& name, const OutputOptions& output) {
  const Workspace workspace = Workspace::find();
  const auto remote = hosts_named(workspace, name);
  const auto reports =
      hosts::preflight(workspace, remote, remote.compute.hosts->hosts, this_program(), [] { return false; });
  const auto nodes = nodes_of(reports, taken_hosts());
  Json all = Json::array();
  for (const auto& each : nodes) all.push_back(node_json(each));
  print(all, output, [&](const Terminal& terminal) { return node_table(nodes, terminal); });
  return 0;
}

[[noreturn]] void become_ssh(const std::string& name, const std::string& node, const std::vector<std::string>& words) {
  const auto compute = hosts_named(Workspace::find(), name).compute;
  const auto& all = compute.hosts->hosts;
  const auto host = node.empty() && all.size() == 1 ? all.begin() : std::find_if(all.begin(), all.end(), [&](const auto& each) {
    return each.name == node || each.address == node;
  });
  if (host == all.end()) {
    std::vector<std::string> names;
    for (const auto& each : all) names.push_back(each.name);
    throw not_found("the compute '{}' has no node '{}'{}; it has {}", name, node, did_you_mean(node, names),
                    fmt::join(names, ", "));
  }
  hosts::write_ssh_config(*compute.hosts, compute.ssh_config);
  auto argv = hosts::ssh_argv(compute.ssh_config, host->address, words, {"-o", "BatchMode=no"});
  if (words.empty()) argv.pop_back();  // a shell
  std::vector<char*> pointers;
  for (auto& each : argv) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  ::execvp(pointers[0], pointers.data());
  throw system_failure("cannot start ssh");
}

}  // namespace

std::vector<Node> nodes_of(const std::vector<hosts::HostReport>& reports,
                           const std::map<std::string, std::string>& taken) {
  std::vector<Node> nodes;
  for (const auto& report : reports) {
    Node node{report, "idle", ""};
    if (!report.problems.empty()) node.state = "unusable";
    if (const auto run = taken.find(report.host.address); run != taken.end()) {
      node.job = run->second;
      if (report.problems.empty()) node.state = "running";
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

Json node_json(const Node& node) {
  Json json{{"node_id", node.report.host.name},
            {"address", node.report.host.address},
            {"state", node.state},
            {"run_id", node.job.empty() ? Json() : Json(node.job)},
            {"slots", api::optional_json(node.report.host.slots)},
            {"problems", node.report.problems}};
  const auto& probe = node.report.probe;
  json["host_name"] = probe ? Json(probe->host) : Json();
  json["cores"] = probe ? Json(probe->cores) : Json();
  json["gpus"] = probe ? Json(probe->gpus) : Json();
  json["memory_bytes"] = probe ? Json(probe->memory_bytes) : Json();
  json["disk_free_bytes"] = probe ? Json(probe->disk_free_bytes) : Json();
  json["open_mpi"] = probe ? Json(probe->open_mpi) : Json();
  return json;
}

std::string node_table(const std::vector<Node>& nodes, const Terminal& terminal) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& each : nodes) {
    const auto& probe = each.report.probe;
    rows.push_back({each.report.host.name, each.state, each.job, probe ? fmt::format("{}", probe->cores) : "",
                    probe ? gib_text(probe->memory_bytes) : "", probe ? fmt::format("{}", probe->gpus) : "",
                    each.report.host.address});
  }
  std::string text = text_table(
      {{"NODE"}, {"STATE"}, {"JOB"}, {"CORES", true, false}, {"MEMORY", true, false}, {"GPUS", true, false}, {"ADDRESS"}},
      rows, terminal);
  for (const auto& each : nodes) {
    for (const auto& problem : each.report.problems) text += problem + "\n";
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
