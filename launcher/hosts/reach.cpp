#include "launcher/hosts/reach.hpp"

#include "common/error.hpp"
#include "launcher/hosts/ssh.hpp"

namespace lockstep::hosts {

std::vector<std::string> reach(const plan::RemotePart& remote, const spec::Host& host,
                               const std::vector<std::string>& words) {
  if (remote.compute.hosts) return ssh_argv(remote.compute.ssh_config, host.address, words);
  if (!remote.slurm_job) throw failure("the run has no nodes yet");
  return slurm::step_argv(*remote.slurm_job, host.name, words);
}

slurm::Request slurm_request(const plan::Plan& plan, const std::vector<std::string>& without) {
  slurm::Request request;
  request.name = "lockstep-" + plan.run_id;
  request.nodes = static_cast<int>(plan.nodes.size());
  request.without = without;
  request.cores = plan::cores_of(plan);
  // The run's own limit ends it, with its reason; Slurm's is for when nobody is left to do so.
  constexpr int spare_minutes = 15;
  const int preparation_minutes = plan.remote && !plan.remote->compute.node_preparation.empty()
                                      ? plan.remote->compute.node_preparation_timeout_s / 60 + 1
                                      : 0;
  if (plan.timeout_s) request.minutes = *plan.timeout_s / 60 + spare_minutes + preparation_minutes;
  return request;
}

Environment environment_of(const plan::RemotePart& remote) {
  return remote.compute.slurm ? slurm::environment_for(*remote.compute.slurm) : current_environment();
}

Environment launcher_environment(const plan::Plan& plan) {
  if (!plan.remote || !plan.remote->slurm_job) return {};
  std::vector<std::string> nodes;
  for (const auto& each : plan.remote->hosts) nodes.push_back(each.name);
  const auto per_node = static_cast<int>((plan.ranks.size() + nodes.size() - 1) / nodes.size());
  Environment told = slurm::allocation_environment(*plan.remote->slurm_job, nodes, per_node);
  const fs::path config = plan::slurm_of(plan.remote->compute).config_file;
  if (!config.empty()) told["SLURM_CONF"] = config.string();
  return told;
}

}  // namespace lockstep::hosts
