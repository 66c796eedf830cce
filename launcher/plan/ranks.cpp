#include "launcher/plan/ranks.hpp"

#include <fmt/format.h>

namespace lockstep::plan {

// Horovod finds its ranks by MPI. A command without a distribution runs once on each node, as Azure ML has it.
entrypoint::Layout layout_of(const spec::CommandJob& job) {
  const spec::Distribution& given = job.distribution;
  entrypoint::Layout layout{.toolkit = entrypoint::Toolkit::mpi,
                            .nodes = job.resources.instance_count,
                            .per_node = given.process_count_per_instance,
                            .workers = given.worker_count.value_or(job.resources.instance_count),
                            .parameter_servers = given.parameter_server_count};
  if (given.type == spec::DistributionType::pytorch) layout.toolkit = entrypoint::Toolkit::pytorch;
  if (given.type == spec::DistributionType::tensorflow) layout.toolkit = entrypoint::Toolkit::tensorflow;
  if (given.type == spec::DistributionType::none) layout.per_node = 1;
  return layout;
}

bool has_tasks(const entrypoint::Layout& layout) { return layout.toolkit == entrypoint::Toolkit::tensorflow; }

std::vector<Rank> ranks_of(const entrypoint::Layout& layout) {
  std::vector<Rank> ranks;
  for (const auto& task : entrypoint::tasks_of(layout)) {
    std::string name = has_tasks(layout) ? fmt::format("{} {}", name_of(task.role), task.index) : "";
    ranks.push_back({static_cast<int>(ranks.size()), task.node, task.local_rank, std::move(name)});
  }
  return ranks;
}

std::vector<std::string> entrypoint_options(const Plan& plan, const entrypoint::Layout& layout) {
  const std::string nodes = std::to_string(layout.nodes);
  std::vector<std::string> options;
  if (!plan.preparation.empty()) options = {preparation_option, plan.preparation};
  if (layout.toolkit != entrypoint::Toolkit::mpi) {
    options.insert(options.end(), {"--toolkit", std::string(name_of(layout.toolkit))});
  }
  if (has_tasks(layout)) {
    options.insert(options.end(), {"--nodes", nodes, "--workers", std::to_string(layout.workers)});
    options.insert(options.end(), {"--parameter-servers", std::to_string(layout.parameter_servers)});
  } else if (layout.nodes > 1) {
    options.insert(options.end(), {"--procs-per-node", std::to_string(layout.per_node)});
  }
  return options;
}

}  // namespace lockstep::plan
