// The nodes of a cluster, as Slurm tells of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "launcher/slurm/queue.hpp"
#include "launcher/spec/compute.hpp"

namespace lockstep::slurm {

struct NodeRow {
  std::string name;
  std::string address;
  std::string state;   // ours: off, preparing, idle, running, leaving, unusable
  std::string reason;  // of an unusable one
  int cores = 0;
  std::int64_t memory_bytes = 0;
  std::string gres = {};  // "gpu:4"; empty: none
  bool operator==(const NodeRow&) const = default;
};

std::vector<std::string> sinfo_argv(const spec::SlurmEngine& engine);
std::vector<NodeRow> read_nodes(std::string_view sinfo_output);  // each node once; lines that are no row are left out
// When a node's slurmd was started, in Slurm's words; "" when it does not say.
std::string start_time_of(const spec::SlurmEngine& engine, const std::string& node);

std::vector<NodeRow> nodes_of(const spec::SlurmEngine& engine);  // throws failure

// The job that has the node: "" when none has. Of a run of ours its id.
std::string job_on(const std::vector<QueueRow>& rows, const std::string& node);

}  // namespace lockstep::slurm
