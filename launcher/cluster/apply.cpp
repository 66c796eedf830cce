#include "launcher/cluster/apply.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "common/error.hpp"
#include "launcher/autoscale/fragment.hpp"
#include "launcher/cluster/asked.hpp"
#include "launcher/cluster/daemons.hpp"
#include "launcher/cluster/machine.hpp"
#include "launcher/cluster/ports.hpp"
#include "launcher/cluster/power.hpp"

namespace lockstep::cluster {

namespace {

using autoscale::named;
using autoscale::ScaledNodes;
using autoscale::SlurmFolder;

// What slurmctld calls runs as SlurmUser, and must be able to write where we do.
FileLock lock_of(const SlurmFolder& folder) {
  if (!fs::exists(folder.slurm_conf())) throw bad_input("there is no {}", folder.slurm_conf().string());
  struct stat info {};
  if (!is_box(folder)) {
    if (::stat(folder.ours().c_str(), &info) != 0) {
      throw failure("there is no {}: make it, and let it be SlurmUser's (docs/slurm.md)", folder.ours().string());
    }
    if (info.st_uid != ::geteuid()) {
      throw failure("{} is another user's: do this as that one, SlurmUser, on the machine of slurmctld",
                    folder.ours().string());
    }
  }
  fs::create_directories(folder.workers());
  return FileLock::take(folder.lock());
}

// Once it is set down, no other job comes.
void refuse_if_used(const SlurmFolder& folder, const ScaledNodes& nodes) {
  set_partition(folder, nodes.compute, false);
  const std::string jobs = jobs_in(folder, nodes.compute);
  if (jobs.empty()) return;
  if (!nodes.stopped) set_partition(folder, nodes.compute, true);
  throw bad_input("'{}' is used by Slurm's jobs {}: wait for them, or cancel them", nodes.compute, jobs);
}

// Of a compute that is to have fewer nodes, or none any more. While this works nobody else takes them.
void take_away_beyond(const SlurmFolder& folder, const std::vector<ScaledNodes>& all, const ScaledNodes& before,
                      int most) {
  refuse_if_used(folder, before);
  for (const ScaledNodes& each : all) {
    if (each.nodes_of == before.compute) refuse_if_used(folder, each);
  }
  auto names = before.names();
  names.erase(names.begin(), names.begin() + std::min<std::ptrdiff_t>(most, std::ssize(names)));
  for (const std::string& node : names) {
    if (before.provider.is_local) {
      stop_nodes(ClusterFolder(folder.root()), node);
    } else if (const auto problem = Machine(folder, before, node).remove(); !problem.empty()) {
      throw failure("the machine of {} could not be removed, and stays known: {}", node, problem);
    }
  }
}

void place_on_this_machine(ScaledNodes& nodes, const ScaledNodes* before) {
  if (nodes.most > most_nodes)
    throw bad_input("max_instances is {}; on one machine at most {}", nodes.most, most_nodes);
  nodes.first_port = before != nullptr && before->first_port > 0 ? before->first_port : free_ports(most_nodes);
  if (!nodes.size.empty()) return;
  nodes.cores = before != nullptr ? before->cores : cores_of_machine();
  nodes.memory_mb = before != nullptr ? before->memory_mb : memory_share_mb(nodes.most);
}

// What is somebody else's in this cluster.
void check_against_others(const SlurmFolder& folder, const ScaledNodes& nodes, const std::vector<ScaledNodes>& all) {
  const std::string foreign = autoscale::foreign_program(folder, ask(folder, {"scontrol", "show", "config"}));
  if (!foreign.empty()) {
    throw bad_input(
        "nodes of this cluster come and go by somebody's own programs ({}), which ours would replace: name "
        "one of its partitions, without engine.provider",
        foreign);
  }
  if (named(all, nodes.compute) == nullptr && !rows_of(folder, nodes.compute).empty()) {
    throw bad_input("{} has a partition '{}' already, which is not ours: give the compute another name",
                    folder.slurm_conf().string(), nodes.compute);
  }
  const auto wanted = nodes.names();
  for (const auto& row : rows_of(folder, "")) {
    const bool collides = std::find(wanted.begin(), wanted.end(), row.name) != wanted.end();
    if (collides && autoscale::owner_of(all, row.name) == nullptr)
      throw bad_input("the cluster has a node '{}' already: give the compute another name", row.name);
  }
}

void check_sharers(const ScaledNodes& nodes, const std::vector<ScaledNodes>& all) {
  for (const ScaledNodes& each : all) {
    if (each.nodes_of == nodes.compute && each.most > nodes.most) {
      throw bad_input("'{}' shares {} nodes of '{}': change it first", each.compute, each.most, nodes.compute);
    }
  }
}

bool includes_ours(const SlurmFolder& folder) {
  const std::string text = read_file_if_exists(folder.slurm_conf()).value_or("");
  return text.find("\nInclude " + folder.fragment().string()) != std::string::npos;
}

// slurmctld learns of new nodes only when it starts. False: it has to be started by somebody else.
bool reload(const SlurmFolder& folder, bool nodes_changed, const Tell& tell) {
  if (is_box(folder)) {
    if (nodes_changed) restart_controller(ClusterFolder(folder.root()));
    ask(folder, {"scontrol", "reconfigure"});
    return true;
  }
  const bool included = includes_ours(folder);
  if (!included)
    tell(fmt::format("add this line to {}:\n  Include {}", folder.slurm_conf().string(), folder.fragment().string()));
  const auto missing = autoscale::missing_settings(ask(folder, {"scontrol", "show", "config"}));
  if (!missing.empty()) tell(fmt::format("and these:\n  {}", fmt::join(missing, "\n  ")));
  if (included && !nodes_changed) {
    ask(folder, {"scontrol", "reconfigure"});
    return true;
  }
  tell(
      "then, for slurmctld learns of nodes only when it starts (jobs go on meanwhile):\n"
      "  systemctl restart slurmctld && scontrol reconfigure");
  return false;
}

void restore(const SlurmFolder& folder, const std::string& compute, const ScaledNodes* before,
             const fs::path& lockstep) {
  if (before != nullptr) {
    write_nodes(folder, *before);
  } else {
    fs::remove(folder.nodes_file(compute));
  }
  write_fragment(folder, lockstep);
}

void switch_idle_off(const SlurmFolder& folder, const ScaledNodes& nodes) {
  for (const auto& row : rows_of(folder, nodes.compute)) {
    if (row.state == "idle" || row.state == "preparing") update_node(folder, row.name, {"state=power_down"});
  }
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

void apply(const SlurmFolder& folder, const spec::Compute& compute, bool is_new, const fs::path& lockstep,
           const Tell& tell) {
  const FileLock lock = lock_of(folder);
  const auto all = autoscale::read_all(folder);
  const ScaledNodes* const before = named(all, compute.name);
  ScaledNodes nodes = autoscale::nodes_for(compute, all);
  if (before != nullptr && (is_new || before->nodes_of != nodes.nodes_of || before->prefix != nodes.prefix ||
                            before->provider.is_local != nodes.provider.is_local)) {
    throw bad_input(
        "the cluster has nodes of a compute '{}' already, which come in another way or from another "
        "workspace: delete that one first, or choose another name",
        nodes.compute);
  }
  if (is_box(folder) && !nodes.shares()) {
    place_on_this_machine(nodes, before);
  } else if (nodes.provider.is_local) {
    throw bad_input(
        "engine.provider: nodes are processes of this machine only in a cluster in a box (lockstep cluster up)");
  }
  check_against_others(folder, nodes, all);
  check_sharers(nodes, all);
  if (before != nullptr) {
    nodes.stopped = before->stopped;
    if (before->most > nodes.most) take_away_beyond(folder, all, *before, nodes.most);
  }
  const bool nodes_changed =
      !nodes.shares() && (before == nullptr || before->most != nodes.most || before->cores != nodes.cores ||
                          before->memory_mb != nodes.memory_mb || before->size != nodes.size);
  bool is_known = false;
  try {
    write_nodes(folder, nodes);
    write_fragment(folder, lockstep);
    is_known = reload(folder, nodes_changed, tell);
    if (is_known) set_partition(folder, nodes.compute, !nodes.stopped);
  } catch (const Error&) {
    restore(folder, nodes.compute, before, lockstep);
    throw;
  }
  tell(fmt::format("{}: {}, in partition {} of {}", nodes.compute, nodes_text(nodes), nodes.compute,
                   folder.slurm_conf().string()));
  if (is_known) keep_least(folder, nodes.compute);
  take_up(folder);
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
  take_away_beyond(folder, all, *nodes, 0);
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
  set_partition(folder, compute, !stopped);
  if (!stopped) {
    keep_least(folder, compute);
  } else if (!nodes.shares()) {
    switch_idle_off(folder, nodes);
  }
}

}  // namespace lockstep::cluster
