// `lockstep cluster`: a Slurm cluster on this machine.
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "common/error.hpp"
#include "common/process.hpp"
#include "launcher/cluster/cluster.hpp"
#include "launcher/cluster/slurm_conf.hpp"
#include "launcher/cluster/view.hpp"

namespace lockstep::cli {

namespace {

struct UpArguments {
  std::string folder;
  int nodes = 2;
  int cloud_nodes = 0;
  int idle_seconds = 120;
  std::optional<int> cores_per_node;
  std::optional<int> memory_mb;
  std::vector<std::string> licenses;
  bool accounting = false;
};

cluster::ClusterFolder folder_at(const std::string& given) {
  return cluster::ClusterFolder(given.empty() ? runtime_folder() / "cluster" : fs::path(given));
}

void say(const std::string& what) { fmt::print(stderr, "{}\n", what); }

constexpr const char* account_hint =
    "sacct -X --format=JobID,JobName%40,Account,QOS,State shows what ran, sacctmgr changes accounts and QOS.\n";

int up(const UpArguments& arguments) {
  const cluster::ClusterFolder folder = folder_at(arguments.folder);
  cluster::ClusterSpec spec;
  spec.nodes = arguments.nodes;
  spec.cloud_nodes = arguments.cloud_nodes;
  spec.idle_seconds = arguments.idle_seconds;
  spec.cores_per_node = arguments.cores_per_node.value_or(cluster::cores_of_machine());
  spec.memory_mb = arguments.memory_mb.value_or(cluster::memory_share_mb(spec.nodes + spec.cloud_nodes));
  for (const auto& each : arguments.licenses) spec.licenses.push_back(cluster::parse_license(each));
  spec.accounting = arguments.accounting;
  InterruptWatch interrupts;
  cluster::bring_up(folder, spec, this_program(), say, [&] { return interrupts.count() > 0; });
  print_text(
      fmt::format("export SLURM_CONF={}\n\nA compute file that uses it:\n\n{}\n{}lockstep cluster down{} ends it.\n",
                  folder.slurm_conf().string(), cluster::compute_example(folder), spec.accounting ? account_hint : "",
                  arguments.folder.empty() ? "" : " --folder " + folder.root().string()));
  return 0;
}

int down(const std::string& given) {
  const cluster::ClusterFolder folder = folder_at(given);
  const bool was_there = cluster::take_down(folder, say);
  say(was_there ? "nothing of it is left" : fmt::format("there is no cluster in {}", folder.root().string()));
  return 0;
}

std::size_t count_of(const cluster::View& view, std::string_view state) {
  return static_cast<std::size_t>(
      std::count_if(view.jobs.begin(), view.jobs.end(), [&](const auto& each) { return each.state == state; }));
}

Json view_json(const cluster::ClusterFolder& folder, const cluster::View& view) {
  Json daemons = Json::array();
  for (const auto& each : view.daemons) {
    daemons.push_back(
        {{"name", each.name}, {"pid", each.pid == 0 ? Json() : Json(each.pid)}, {"alive", each.is_alive}});
  }
  Json nodes = Json::array();
  for (const auto& each : view.nodes) nodes.push_back({{"name", each.name}, {"state", each.state}});
  Json jobs = Json::array();
  for (const auto& each : view.jobs) {
    jobs.push_back({{"id", each.id},
                    {"name", each.name},
                    {"state", each.state},
                    {"partition", each.partition},
                    {"nodes", each.nodes},
                    {"reason", each.reason}});
  }
  return {{"folder", folder.root().string()},
          {"slurm_conf", folder.slurm_conf().string()},
          {"cores_per_node", view.spec.cores_per_node},
          {"memory_mb", view.spec.memory_mb},
          {"accounting", view.spec.accounting},
          {"daemons", daemons},
          {"nodes", nodes},
          {"jobs", jobs},
          {"running", count_of(view, "RUNNING")},
          {"pending", count_of(view, "PENDING")},
          {"problem", view.problem.empty() ? Json() : Json(view.problem)}};
}

std::string view_text(const cluster::ClusterFolder& folder, const cluster::View& view, const Terminal& terminal) {
  std::string text = field_list(
      {{"SLURM_CONF", folder.slurm_conf().string()},
       {"each node", fmt::format("{} cores, {} MB", view.spec.cores_per_node, view.spec.memory_mb)},
       {"jobs", fmt::format("{} running, {} pending", count_of(view, "RUNNING"), count_of(view, "PENDING"))}});
  if (!view.problem.empty()) text += field_list({{"problem", view.problem}});
  std::vector<std::vector<std::string>> rows;
  for (const auto& each : view.daemons) {
    const auto node =
        std::find_if(view.nodes.begin(), view.nodes.end(), [&](const auto& one) { return one.name == each.name; });
    rows.push_back({each.name,
                    each.is_alive   ? fmt::format("{}", each.pid)
                    : each.pid == 0 ? "off"
                                    : "dead",
                    node == view.nodes.end() ? "" : node->state});
  }
  text += "\n" + text_table({{"DAEMON"}, {"PID", true, false}, {"NODE", false, true}}, rows, terminal);
  if (view.jobs.empty()) return text;
  rows.clear();
  for (const auto& each : view.jobs) {
    rows.push_back(
        {each.id, each.state, each.partition, each.nodes.empty() ? each.reason : each.nodes, printable(each.name)});
  }
  return text + "\n" +
         text_table({{"JOB"}, {"STATE"}, {"PARTITION"}, {"NODES"}, {"NAME", false, true}}, rows, terminal);
}

int show_cluster(const std::string& given, const OutputOptions& output) {
  const cluster::ClusterFolder folder = folder_at(given);
  const auto view = cluster::look_at(folder);
  if (!view) throw not_found("there is no cluster in {}; lockstep cluster up makes one", folder.root().string());
  print(view_json(folder, *view), output, [&](const Terminal& terminal) { return view_text(folder, *view, terminal); });
  return 0;
}

void add_folder(const Command& command, std::string& folder) {
  command.option("--folder", folder, "DIR",
                 "The cluster's folder (cluster/ in LOCKSTEP_RUNTIME_DIR, or /run/lockstep)");
}

void add_up(const Command& cluster) {
  const Command command = cluster.add("up", "Start a cluster and wait until its nodes are idle",
                                      "lockstep cluster up --nodes 4\n"
                                      "lockstep cluster up --nodes 1 --cloud-nodes 3 --idle-seconds 30\n"
                                      "lockstep cluster up --nodes 2 --accounting\n"
                                      "lockstep cluster up --folder /tmp/second --cores-per-node 8 --license matlab:2");
  auto arguments = std::make_shared<UpArguments>();
  command.option("--nodes", arguments->nodes, "N", "Nodes that are there from the beginning: n1, n2, ... (2)");
  command.option("--cores-per-node", arguments->cores_per_node, "C",
                 "Cores that Slurm believes each node has (as many as this machine has)");
  command.option("--memory-mb", arguments->memory_mb, "M",
                 "Memory that Slurm believes each node has (an equal share of this machine's)");
  command.option("--cloud-nodes", arguments->cloud_nodes, "N",
                 "Nodes that are started when a job in the partition cloud wants them: c1, c2, ... (0)");
  command.option("--idle-seconds", arguments->idle_seconds, "S",
                 "Seconds after which an idle cloud node is stopped (120)");
  command.option("--license", arguments->licenses, "NAME:COUNT", "Something of which jobs may use COUNT at a time");
  command.flag("--accounting", arguments->accounting,
               "With slurmdbd over MariaDB: accounts, QOS, sacct; you are in the account lockstep");
  add_folder(command, arguments->folder);
  command.does([arguments] { return up(*arguments); });
}

void add_power(const Command& cluster, const std::string& name, const std::string& description,
               const std::string& examples,
               const std::function<void(const cluster::ClusterFolder&, const std::string&)>& action) {
  const Command command = cluster.add(name, description, examples);
  struct Arguments {
    std::string folder;
    std::string nodes;
  };
  auto arguments = std::make_shared<Arguments>();
  command.option("folder", arguments->folder, "DIR", "The cluster's folder").required();
  command.option("nodes", arguments->nodes, "NODES", "Which: n1, n[1-3], c1,c2").required();
  command.does([arguments, action] {
    action(cluster::ClusterFolder(arguments->folder), arguments->nodes);
    return 0;
  });
}

void start(const cluster::ClusterFolder& folder, const std::string& nodes) {
  const auto failures = cluster::start_nodes(folder, nodes);
  if (!failures.empty()) throw failure("{}", fmt::join(failures, "\n"));
}

}  // namespace

void add_cluster_commands(const Command& root) {
  const Command command =
      root.add("cluster", "A cluster in a box: Slurm on this machine, with nodes that are processes",
               "lockstep cluster up --nodes 4\n"
               "lockstep cluster show\n"
               "lockstep cluster down");
  add_up(command);

  struct ShowArguments {
    std::string folder;
    OutputOptions output;
  };
  const Command shows = command.add("show", "Its daemons, nodes and jobs",
                                    "lockstep cluster show\n"
                                    "lockstep cluster show -o json --query \"nodes[].name\"");
  auto shown = std::make_shared<ShowArguments>();
  add_folder(shows, shown->folder);
  add_output_options(shows, shown->output);
  shows.does([shown] { return show_cluster(shown->folder, shown->output); });

  const Command downs =
      command.add("down", "Cancel its jobs, stop its processes, remove its folder; whatever became of it",
                  "lockstep cluster down\n"
                  "lockstep cluster down --folder /tmp/second");
  auto ended = std::make_shared<std::string>();
  add_folder(downs, *ended);
  downs.does([ended] { return down(*ended); });

  add_power(command, "node-start", "Switch nodes on", "lockstep cluster node-start /run/lockstep/cluster n2", start);
  add_power(command, "node-stop", "Switch nodes off, with all that runs there",
            "lockstep cluster node-stop /run/lockstep/cluster n2", cluster::stop_nodes);
}

}  // namespace lockstep::cli
