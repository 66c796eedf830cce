#include "cli/compute_scaling.hpp"

#include <fmt/format.h>

#include <memory>

#include "cli/commands.hpp"
#include "common/error.hpp"
#include "common/process.hpp"
#include "common/run_folder.hpp"
#include "launcher/cluster/apply.hpp"
#include "launcher/cluster/power.hpp"
#include "launcher/compute/definitions.hpp"

namespace lockstep::cli {

namespace {

void tell(const std::string& line) { fmt::print(stderr, "{}\n", line); }

// nullptr: its machines are there whether runs need them or not.
const spec::SlurmEngine* scaling_engine(const spec::Compute& compute) {
  return compute.slurm && compute.slurm->scales() ? &*compute.slurm : nullptr;
}

struct Scaling {
  spec::Compute compute;
  autoscale::SlurmFolder folder;
};

Scaling scaling_compute(const std::string& name) {
  spec::Compute compute = compute::find(Workspace::find(), name);
  const spec::SlurmEngine* const engine = scaling_engine(compute);
  if (engine != nullptr) return {compute, cluster::slurm_folder_of(*engine)};
  throw bad_input(
      "the machines of '{}' are there whether runs need them or not: only a compute with engine.provider or "
      "engine.nodes_of is started and stopped (docs/slurm.md)",
      name);
}

int start_or_stop(const std::string& name, bool stopped) {
  cluster::set_stopped(scaling_compute(name).folder, name, stopped, this_program(), tell);
  return 0;
}

void add_action(const Command& compute, const std::string& verb, const std::string& description,
                const std::string& example, int (*action)(const std::string& name)) {
  const Command command = compute.add(verb, description, example);
  auto name = std::make_shared<std::string>();
  add_name(command, *name, "The compute");
  command.does([name, action] { return action(*name); });
}

}  // namespace

void apply_scaling(const spec::Compute& compute, bool is_new) {
  const spec::SlurmEngine* const engine = scaling_engine(compute);
  if (engine != nullptr) cluster::apply(cluster::slurm_folder_of(*engine), compute, is_new, this_program(), tell);
}

void check_scaling(const spec::Compute& before, const spec::Compute& after) {
  const spec::SlurmEngine* const old_engine = scaling_engine(before);
  if (old_engine == nullptr) return;
  const auto folder = cluster::slurm_folder_of(*old_engine);
  if (!fs::exists(folder.nodes_file(before.name))) return;  // the cluster is gone
  const spec::SlurmEngine* const engine = scaling_engine(after);
  const bool same = engine != nullptr && cluster::slurm_folder_of(*engine).root() == folder.root() &&
                    engine->nodes_of == old_engine->nodes_of;
  if (!same) throw bad_input("the nodes of '{}' would come in another way: delete it, and create it anew", before.name);
}

bool compute_has_nodes(const Workspace& workspace, const std::string& name) {
  try {
    const spec::Compute compute = compute::find(workspace, name);
    const spec::SlurmEngine* const engine = scaling_engine(compute);
    return engine != nullptr && engine->provider;
  } catch (const Error&) {
    return false;
  }
}

void remove_scaling(const spec::Compute& compute) {
  const spec::SlurmEngine* const engine = scaling_engine(compute);
  if (engine != nullptr) cluster::remove(cluster::slurm_folder_of(*engine), compute.name, this_program(), tell);
}

void add_scaling_commands(const Command& compute) {
  add_action(compute, "apply", "Write a compute's nodes into its Slurm cluster once more",
             "lockstep compute apply cpu-cluster", [](const std::string& name) {
               apply_scaling(scaling_compute(name).compute, false);
               return 0;
             });
  add_action(compute, "start", "Let a compute that was stopped take runs again", "lockstep compute start cpu-cluster",
             [](const std::string& name) { return start_or_stop(name, false); });
  add_action(compute, "stop", "Switch a compute's nodes off, when their runs have ended, and start none",
             "lockstep compute stop cpu-cluster", [](const std::string& name) { return start_or_stop(name, true); });

  struct Arguments {
    std::string verb;
    std::string folder;
    std::string nodes;
  };
  const Command command = compute.add("node-power", "Make nodes come or go (Slurm calls this)",
                                      "lockstep compute node-power resume /etc/slurm cpu-cluster-[1-2]\n"
                                      "lockstep compute node-power suspend /etc/slurm cpu-cluster-1");
  auto arguments = std::make_shared<Arguments>();
  command.option("verb", arguments->verb, "VERB", "resume, suspend or resume-failed").required();
  command.option("folder", arguments->folder, "DIR", "Where slurm.conf is").required();
  command.option("nodes", arguments->nodes, "NODES", "Which, as in x-[1-3]").required();
  command.does([arguments] {
    cluster::power(autoscale::SlurmFolder(arguments->folder), arguments->verb, arguments->nodes);
    return 0;
  });
}

}  // namespace lockstep::cli
