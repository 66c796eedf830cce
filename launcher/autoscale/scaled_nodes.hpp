// The nodes of one compute in a Slurm cluster, that come when a run needs them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launcher/autoscale/slurm_folder.hpp"
#include "launcher/spec/compute.hpp"

namespace lockstep::autoscale {

struct ScaledNodes {
  std::string compute = {};  // its name, and that of its partition
  std::string prefix = {};   // of its nodes' names, which end in 1, 2, ...
  int least = 0;             // of nodes that are on
  int most = 1;
  int idle_s = 120;  // after which a node is switched off
  bool low_priority = false;
  bool stopped = false;  // takes no run, and all its nodes are off
  int cores = 1;         // of each node
  int memory_mb = 1024;
  std::string size = {};        // as Azure names it; may be empty
  int first_port = 0;           // of nodes that are processes of this machine: their slurmd listen there and following
  std::string nodes_of = {};    // it has none of its own, but the first ones of that compute
  spec::NodeProvider provider;  // of its own nodes

  bool shares() const { return !nodes_of.empty(); }
  std::vector<std::string> names() const;  // of its own nodes
  bool operator==(const ScaledNodes&) const = default;
};

// As Slurm writes it: x-[1-4].
std::string host_list(const std::string& prefix, int count);

// What the definition asks for. bad_input, with the remedy, for one that can't be had: the shared compute is not there,
// or has fewer nodes.
ScaledNodes nodes_for(const spec::Compute& compute, const std::vector<ScaledNodes>& others);

std::string to_json(const ScaledNodes& nodes);
std::optional<ScaledNodes> nodes_from_json(std::string_view text);  // nullopt: it is none of ours

// All computes that have nodes here, by name. Throws failure for a damaged file, unless `damaged` takes its name.
std::vector<ScaledNodes> read_all(const SlurmFolder& folder, std::vector<fs::path>* damaged = nullptr);
const ScaledNodes* named(const std::vector<ScaledNodes>& all, const std::string& compute);  // nullptr: it has none here
const ScaledNodes* owner_of(const std::vector<ScaledNodes>& all, const std::string& node);  // nullptr: nobody
std::vector<std::string> names_of(const std::vector<ScaledNodes>& all);                     // of all their nodes

}  // namespace lockstep::autoscale
