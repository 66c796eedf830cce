#include "launcher/cluster/asked.hpp"

#include <utility>

#include "launcher/cluster/daemons.hpp"
#include "launcher/slurm/fields.hpp"

namespace lockstep::cluster {

bool is_box(const autoscale::SlurmFolder& folder) { return fs::exists(ClusterFolder(folder.root()).record()); }

std::string ask(const autoscale::SlurmFolder& folder, std::vector<std::string> argv) {
  return ask_slurm(environment_for(ClusterFolder(folder.root()), current_environment()), std::move(argv));
}

std::vector<slurm::NodeRow> rows_of(const autoscale::SlurmFolder& folder, const std::string& partition) {
  spec::SlurmEngine engine;
  engine.config_file = folder.slurm_conf();
  engine.partition = partition;
  return slurm::nodes_of(engine);
}

std::string jobs_in(const autoscale::SlurmFolder& folder, const std::string& partition) {
  const std::string answer = ask(folder, {"squeue", "--noheader", "--partition=" + partition, "--format=%i"});
  std::string jobs;
  for (const auto line : slurm::split(answer, '\n')) {
    if (!line.empty()) jobs += (jobs.empty() ? "" : ", ") + std::string(line);
  }
  return jobs;
}

void set_partition(const autoscale::SlurmFolder& folder, const std::string& partition, bool up) {
  ask(folder, {"scontrol", "update", "partitionname=" + partition, up ? "state=up" : "state=down"});
}

}  // namespace lockstep::cluster
