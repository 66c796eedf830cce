// The same run on fewer nodes than it asked for.
#include <algorithm>

#include "common/error.hpp"
#include "launcher/plan/added_environment.hpp"
#include "launcher/plan/plan.hpp"
#include "launcher/plan/ranks.hpp"
#include "launcher/plan/remote.hpp"

namespace lockstep::plan {

namespace {

std::size_t place_of(const std::vector<std::string>& argv, const std::string& word) {
  const auto found = std::find(argv.begin(), argv.end(), word);
  if (found == argv.end()) throw failure("the plan's command has no {}", word);
  return static_cast<std::size_t>(found - argv.begin());
}

// In place of the `count` words from `first` on.
void replace(std::vector<std::string>& argv, std::size_t first, std::size_t count,
             const std::vector<std::string>& words) {
  const auto begin = argv.begin() + static_cast<std::ptrdiff_t>(first);
  argv.insert(argv.erase(begin, begin + static_cast<std::ptrdiff_t>(count)), words.begin(), words.end());
}

}  // namespace

Plan on_fewer_nodes(const Plan& whole, int nodes) {
  if (nodes < 1 || nodes > std::ssize(whole.nodes)) throw failure("{} of {} nodes", nodes, whole.nodes.size());
  Plan plan = whole;
  spec::CommandJob job = whole.job;
  job.resources.instance_count = nodes;
  const entrypoint::Layout layout = layout_of(job);
  plan.ranks = ranks_of(layout);
  plan.slots = static_cast<int>(plan.ranks.size());
  if (has_tasks(layout)) plan.ports = plan.slots;
  remote_of(plan).hosts.resize(static_cast<std::size_t>(nodes));
  name_nodes(plan);
  if (ranks_share_cores(plan)) plan.environment.try_emplace("OMP_NUM_THREADS", "1");

  const std::size_t options = place_of(plan.argv, remote_of(plan).compute.node_program.string()) + 1;
  const std::size_t told = entrypoint_options(whole, layout_of(whole.job)).size();
  replace(plan.argv, options, told, entrypoint_options(plan, layout));
  const std::size_t ranks = place_of(plan.argv, "-np") + 1;  // and after it the variables, up to --host
  replace(plan.argv, ranks, place_of(plan.argv, "--host") - ranks, {std::to_string(plan.slots)});
  export_variables(plan.argv, ranks_variables(plan));
  return plan;
}

}  // namespace lockstep::plan
