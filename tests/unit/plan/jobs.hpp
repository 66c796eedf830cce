// Jobs, machines and surroundings that the plan tests start from.
#pragma once

#include <string>

#include "common/error.hpp"
#include "launcher/plan/plan.hpp"

namespace lockstep::plan {

inline spec::CommandJob job_with(const std::string& command) {
  spec::CommandJob job;
  job.command = command;
  job.folder = "/home/ada/iris";
  return job;
}

inline spec::CommandJob tensorflow_job(const std::string& command, int nodes, int workers, int parameter_servers) {
  auto job = job_with(command);
  job.distribution.type = spec::DistributionType::tensorflow;
  job.distribution.worker_count = workers;
  job.distribution.parameter_server_count = parameter_servers;
  job.resources.instance_count = nodes;
  return job;
}

inline spec::CommandJob mpi_job(const std::string& command, int nodes, int ranks_per_node) {
  spec::CommandJob job = job_with(command);
  job.distribution.type = spec::DistributionType::mpi;
  job.distribution.process_count_per_instance = ranks_per_node;
  job.resources.instance_count = nodes;
  return job;
}

inline spec::Input literal(const std::string& text) {
  spec::Input input;
  input.literal = text;
  return input;
}

inline spec::Input asset(const std::string& path, spec::AssetType type) {
  spec::Input input;
  input.is_literal = false;
  input.path = path;
  input.type = type;
  return input;
}

inline LocalCompute machine(int slots) { return {"box", slots}; }

inline Surroundings surroundings() {
  Surroundings around;
  around.run_id = "run1";
  around.run_folder = "/ws/runs/run1";
  around.cache_folder = "/cache";
  around.lockstep_program = "/opt/lockstep/bin/lockstep";
  around.experiment_name = "iris";
  around.display_name = "gentle_fox";
  around.user = "ada";
  around.host_environment = {{"PATH", "/usr/bin:/bin"}, {"HOME", "/home/ada"}};
  return around;
}

// What plan() refuses, one "key: message" per line; "" if it does not refuse.
inline std::string refusal(const spec::CommandJob& job) {
  try {
    (void)plan(job, machine(4), surroundings());
    return "";
  } catch (const Error& error) {
    return error.code() == ExitCode::bad_input ? error.what() : std::string("not bad_input: ") + error.what();
  }
}

}  // namespace lockstep::plan
