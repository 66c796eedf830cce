// Slurm's own commands, as argument lists.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/process.hpp"
#include "launcher/spec/compute.hpp"

namespace lockstep::slurm {

// What a run asks for: whole nodes, so many.
struct Request {
  std::string name;  // of the job, for people and for whoever looks for what a dead supervisor left
  int nodes = 1;
  std::optional<int> least_nodes = std::nullopt;  // it takes as few, if there are no more at the moment
  std::optional<int> minutes = std::nullopt;      // nullopt: the partition's own limit
  std::vector<std::string> without = {};          // nodes that are no good
  int cores = 0;  // by the size of the compute's nodes: so many of the engine's licenses
};

std::string licenses_text(const spec::SlurmEngine& engine, int cores);  // "ds_cores:8"; "": it asks for none

// Ours, with SLURM_CONF where the engine names one.
Environment environment_for(const spec::SlurmEngine& engine);

// An allocation that nobody sits in: it lasts until scancel. One that waits is withdrawn when its salloc ends.
std::vector<std::string> salloc_argv(const spec::SlurmEngine& engine, const Request& request);
// Whether it could ever be given; submits nothing.
std::vector<std::string> test_argv(const spec::SlurmEngine& engine, const Request& request);
// A command on one node of the allocation, beside whatever runs there, with our standard input and output.
std::vector<std::string> step_argv(std::int64_t job_id, const std::string& node, const std::vector<std::string>& words);
std::vector<std::string> scancel_argv(std::int64_t job_id);
std::vector<std::string> scancel_argv(const std::string& job_name);  // of this user's

// What mpirun must know of an allocation that it was not started in.
Environment allocation_environment(std::int64_t job_id, const std::vector<std::string>& nodes, int ranks_per_node);

}  // namespace lockstep::slurm
