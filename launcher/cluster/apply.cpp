#include "launcher/cluster/apply.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "common/error.hpp"
#include "launcher/autoscale/fragment.hpp"
#include "launcher/cluster/daemons.hpp"
#include "launcher/cluster/machine.hpp"
#include "launcher/cluster/ports.hpp"
#include "launcher/cluster/power.hpp"
#include "launcher/slurm/nodes.hpp"

namespace lockstep::cluster {

namespace {

using autoscale::ScaledNodes;
using autoscale::SlurmFolder;

bool is_box(const SlurmFolder& folder) { return fs::exists(ClusterFolder(folder.root()).record()); }

Environment environment_of(const SlurmFolder& folder) {
  return environment_for(ClusterFolder(folder.root()), current_environment());
}

const ScaledNodes* named(const std::vector<ScaledNodes>& all, const std::string& compute) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.compute == compute; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<slurm::NodeRow> rows_of(const SlurmFolder& folder, const std::string& partition) {
  spec::SlurmEngine engine;
  engine.config_file = folder.slurm_conf();
  engine.partition = partition;
  return slurm::nodes_of(engine);
}

// Of a compute that had more nodes before, or is to have none any more.
void switch_off_beyond(const SlurmFolder& folder, const ScaledNodes& before, int most) {
  std::vector<std::string> names = before.names();
  names.erase(names.begin(), names.begin() + std::min<std::ptrdiff_t>(most, std::ssize(names)));
  std::vector<std::string> on;
  for (const auto& row : rows_of(folder, before.compute)) {
    if (std::find(names.begin(), names.end(), row.name) == names.end()) continue;
    if (row.state == "running") throw bad_input("{} works; wait for its run, or cancel that", row.name);
    if (row.state != "off") on.push_back(row.name);
  }
  if (!on.empty()) power(folder, "suspend", fmt::format("{}", fmt::join(on, ",")));
}

void place_on_this_machine(ScaledNodes& nodes, const ScaledNodes* before) {
  if (nodes.most > most_nodes)
    throw bad_input("max_instances is {}; on one machine at most {}", nodes.most, most_nodes);
  nodes.first_port = before != nullptr && before->first_port > 0 ? before->first_port : free_ports(most_nodes);
  if (!nodes.size.empty()) return;
  nodes.cores = before != nullptr ? before->cores : cores_of_machine();
  nodes.memory_mb = before != nullptr ? before->memory_mb : memory_share_mb(nodes.most);
}

bool includes_ours(const SlurmFolder& folder) {
  const std::string text = read_file_if_exists(folder.slurm_conf()).value_or("");
  return text.find("\nInclude " + folder.fragment().string()) != std::string::npos;
}

// slurmctld learns of new nodes only when it starts.
void reload(const SlurmFolder& folder, bool nodes_changed, const Tell& tell) {
  const Environment environment = environment_of(folder);
  if (is_box(folder)) {
    if (nodes_changed) restart_controller(ClusterFolder(folder.root()));
    ask_slurm(environment, {"scontrol", "reconfigure"});
    return;
  }
  if (!includes_ours(folder)) {
    tell(fmt::format("add this line to {}:\n  Include {}", folder.slurm_conf().string(), folder.fragment().string()));
    nodes_changed = true;
  } else if (!nodes_changed) {
    ask_slurm(environment, {"scontrol", "reconfigure"});
  }
  const auto missing = autoscale::missing_settings(ask_slurm(environment, {"scontrol", "show", "config"}));
  if (!missing.empty()) tell(fmt::format("and these:\n  {}", fmt::join(missing, "\n  ")));
  if (nodes_changed)
    tell(
        "then, for slurmctld learns of nodes only when it starts (jobs go on meanwhile):\n"
        "  systemctl restart slurmctld && scontrol reconfigure");
}

// Those that are to be on always: Slurm keeps them on, but does not switch them on.
void switch_on_least(const SlurmFolder& folder, const ScaledNodes& nodes) {
  int on = 0;
  std::vector<std::string> off;
  for (const auto& row : rows_of(folder, nodes.compute)) {
    if (row.state == "off" || row.state == "leaving") {
      off.push_back(row.name);
    } else if (row.state != "unusable") {
      ++on;
    }
  }
  for (std::size_t i = 0; on < nodes.least && i < off.size(); ++i, ++on) {
    update_node(folder, off[i], {"state=power_up"});
  }
}

void switch_idle_off(const SlurmFolder& folder, const ScaledNodes& nodes) {
  for (const auto& row : rows_of(folder, nodes.compute)) {
    if (row.state == "idle" || row.state == "preparing") update_node(folder, row.name, {"state=power_down"});
  }
}

FileLock lock_of(const SlurmFolder& folder) {
  if (!fs::exists(folder.slurm_conf())) throw bad_input("there is no {}", folder.slurm_conf().string());
  std::error_code error;
  fs::create_directories(folder.workers(), error);
  if (error || ::access(folder.ours().c_str(), W_OK) != 0) {
    throw failure("{} can't be written: do this as SlurmUser, on the machine of slurmctld (docs/slurm.md)",
                  folder.ours().string());
  }
  return FileLock::take(folder.lock());
}

std::string nodes_text(const ScaledNodes& nodes) {
  return fmt::format("{} to {} nodes {} of {} cores and {} MB", nodes.least, nodes.most,
                     autoscale::host_list(nodes.prefix, nodes.most), nodes.cores, nodes.memory_mb);
}

}  // namespace

SlurmFolder slurm_folder_of(const spec::SlurmEngine& engine) {
  fs::path conf = engine.config_file;
  if (conf.empty()) conf = value_of(current_environment(), "SLURM_CONF");
  if (conf.empty()) conf = "/etc/slurm/slurm.conf";
  if (conf.filename() != "slurm.conf") throw bad_input("{}: the file must be named slurm.conf", conf.string());
  return SlurmFolder(fs::weakly_canonical(fs::absolute(conf)).parent_path());
}

void write_nodes(const SlurmFolder& folder, const ScaledNodes& nodes) {
  fs::create_directories(folder.ours());
  write_file_durably(folder.nodes_file(nodes.compute), to_json(nodes));
}

void write_fragment(const SlurmFolder& folder, const fs::path& lockstep) {
  fs::create_directories(folder.program("resume").parent_path());
  for (const char* verb : autoscale::program_names) {
    write_file_durably(folder.program(verb), autoscale::program(folder, lockstep, verb), 0755);
  }
  write_file_durably(folder.fragment(), autoscale::fragment(folder, autoscale::read_all(folder)));
}

void apply(const SlurmFolder& folder, ScaledNodes nodes, const fs::path& lockstep, const Tell& tell) {
  const FileLock lock = lock_of(folder);
  const auto all = autoscale::read_all(folder);
  const ScaledNodes* const before = named(all, nodes.compute);
  if (before == nullptr && !rows_of(folder, nodes.compute).empty()) {
    throw bad_input("{} has a partition '{}' already, which is not ours: give the compute another name",
                    folder.slurm_conf().string(), nodes.compute);
  }
  if (is_box(folder) && !nodes.shares()) {
    place_on_this_machine(nodes, before);
  } else if (nodes.provider.is_local) {
    throw bad_input(
        "engine.provider: nodes are processes of this machine only in a cluster in a box (lockstep cluster up)");
  }
  if (before != nullptr) {
    nodes.stopped = before->stopped;
    if (before->most > nodes.most) switch_off_beyond(folder, *before, nodes.most);
  }
  const bool nodes_changed = before == nullptr || before->most != nodes.most || before->cores != nodes.cores ||
                             before->memory_mb != nodes.memory_mb || before->size != nodes.size;
  write_nodes(folder, nodes);
  write_fragment(folder, lockstep);
  tell(fmt::format("{}: {}, in partition {} of {}", nodes.compute, nodes_text(nodes), nodes.compute,
                   folder.slurm_conf().string()));
  reload(folder, nodes_changed && !nodes.shares(), tell);
  if ((is_box(folder) || includes_ours(folder)) && !nodes.stopped && (is_box(folder) || !nodes_changed)) {
    switch_on_least(folder, nodes);
  }
}

void remove(const SlurmFolder& folder, const std::string& compute, const fs::path& lockstep, const Tell& tell) {
  if (!fs::exists(folder.nodes_file(compute))) return;
  const FileLock lock = lock_of(folder);
  const auto all = autoscale::read_all(folder);
  const ScaledNodes* const nodes = named(all, compute);
  if (nodes == nullptr) return;
  for (const ScaledNodes& each : all) {
    if (each.nodes_of == compute)
      throw bad_input("'{}' shares the nodes of '{}': delete it first", each.compute, compute);
  }
  switch_off_beyond(folder, *nodes, 0);
  fs::remove(folder.nodes_file(compute));
  write_fragment(folder, lockstep);
  reload(folder, !nodes->shares(), tell);
}

void set_stopped(const SlurmFolder& folder, const std::string& compute, bool stopped, const fs::path& lockstep,
                 const Tell& tell) {
  const FileLock lock = lock_of(folder);
  const auto all = autoscale::read_all(folder);
  const ScaledNodes* const found = named(all, compute);
  if (found == nullptr) throw not_found("'{}' has no nodes in {}", compute, folder.slurm_conf().string());
  ScaledNodes nodes = *found;
  nodes.stopped = stopped;
  write_nodes(folder, nodes);
  write_fragment(folder, lockstep);
  reload(folder, false, tell);
  ask_slurm(environment_of(folder),
            {"scontrol", "update", "partitionname=" + compute, stopped ? "state=down" : "state=up"});
  if (stopped) {
    if (!nodes.shares()) switch_idle_off(folder, nodes);
  } else {
    switch_on_least(folder, nodes);
  }
}

}  // namespace lockstep::cluster
