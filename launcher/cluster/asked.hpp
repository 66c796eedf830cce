// What a Slurm cluster says of itself, beside the files that it reads.
#pragma once

#include <string>
#include <vector>

#include "launcher/autoscale/slurm_folder.hpp"
#include "launcher/slurm/nodes.hpp"

namespace lockstep::cluster {

bool is_box(const autoscale::SlurmFolder& folder);  // a cluster of `lockstep cluster up`

// Each throws failure with Slurm's words when it does not answer.
std::string ask(const autoscale::SlurmFolder& folder, std::vector<std::string> argv);
std::vector<slurm::NodeRow> rows_of(const autoscale::SlurmFolder& folder, const std::string& partition);  // "": all
std::string jobs_in(const autoscale::SlurmFolder& folder, const std::string& partition);  // "7, 8"; "": none
void set_partition(const autoscale::SlurmFolder& folder, const std::string& partition, bool up);

}  // namespace lockstep::cluster
