#include "launcher/slurm/commands.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lockstep::slurm {

namespace {
std::vector<std::string> options_of(const spec::SlurmEngine& engine, const Request& request) {
  const int least = request.least_nodes.value_or(request.nodes);
  std::vector<std::string> options{"--job-name=" + request.name,
                                   least < request.nodes ? fmt::format("--nodes={}-{}", least, request.nodes)
                                                         : fmt::format("--nodes={}", request.nodes),
                                   "--exclusive"};  // whole nodes, as AmlCompute gives them
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) options.push_back(fmt::format("--{}={}", option, value));
  };
  add("partition", engine.partition);
  add("account", engine.account);
  add("qos", engine.qos);
  add("constraint", engine.constraint);
  add("licenses", licenses_text(engine, request.cores));
  if (request.minutes) options.push_back(fmt::format("--time={}", *request.minutes));
  if (!request.without.empty()) options.push_back(fmt::format("--exclude={}", fmt::join(request.without, ",")));
  options.insert(options.end(), engine.options.begin(), engine.options.end());
  return options;
}
}  // namespace

std::string licenses_text(const spec::SlurmEngine& engine, int cores) {
  return engine.license.empty() || cores == 0 ? "" : fmt::format("{}:{}", engine.license, cores);
}

Environment environment_for(const spec::SlurmEngine& engine) {
  Environment environment = current_environment();
  // Of an allocation that we may have been started in: its options are not this run's.
  std::erase_if(environment,
                [](const auto& each) { return each.first.starts_with("SLURM_") && each.first != "SLURM_CONF"; });
  if (!engine.config_file.empty()) environment["SLURM_CONF"] = engine.config_file.string();
  return environment;
}

std::vector<std::string> salloc_argv(const spec::SlurmEngine& engine, const Request& request) {
  std::vector<std::string> argv{"salloc", "--no-shell", "--wait-all-nodes=1"};
  for (auto& each : options_of(engine, request)) argv.push_back(std::move(each));
  return argv;
}

std::vector<std::string> test_argv(const spec::SlurmEngine& engine, const Request& request) {
  std::vector<std::string> argv{"sbatch", "--test-only"};
  for (auto& each : options_of(engine, request)) argv.push_back(std::move(each));
  argv.insert(argv.end(), {"--wrap", "true"});
  return argv;
}

std::vector<std::string> step_argv(std::int64_t job_id, const std::string& node,
                                   const std::vector<std::string>& words) {
  std::vector<std::string> argv{"srun",
                                fmt::format("--jobid={}", job_id),
                                "--overlap",
                                "--quiet",
                                "--mpi=none",
                                "--mem=0",
                                "--nodes=1",
                                "--ntasks=1",
                                "--nodelist=" + node};
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

std::vector<std::string> scancel_argv(std::int64_t job_id) { return {"scancel", std::to_string(job_id)}; }
std::vector<std::string> scancel_argv(const std::string& job_name) { return {"scancel", "--me", "--name=" + job_name}; }

Environment allocation_environment(std::int64_t job_id, const std::vector<std::string>& nodes, int ranks_per_node) {
  const std::string id = std::to_string(job_id);
  const std::string count = std::to_string(nodes.size());
  const std::string list = fmt::format("{}", fmt::join(nodes, ","));
  return {{"SLURM_JOB_ID", id},
          {"SLURM_JOBID", id},
          {"SLURM_JOB_NODELIST", list},
          {"SLURM_NODELIST", list},
          {"SLURM_JOB_NUM_NODES", count},
          {"SLURM_NNODES", count},
          {"SLURM_TASKS_PER_NODE", fmt::format("{}(x{})", ranks_per_node, count)},
          {"SLURM_OVERLAP", "1"},  // mpirun's own steps share the nodes with our agents'
          {"SLURM_MEM_PER_NODE", "0"}};
}

}  // namespace lockstep::slurm
