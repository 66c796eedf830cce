// The files that Slurm reads, as text.
#pragma once

#include <string>
#include <vector>

#include "launcher/cluster/folder.hpp"
#include "launcher/cluster/spec.hpp"

namespace lockstep::cluster {

std::string slurm_conf(const ClusterFolder& folder, const ClusterSpec& spec);

// A compute definition that uses the cluster.
std::string compute_example(const ClusterFolder& folder);

// The argument lists of the daemons. `with_user_namespace`: of who is not root.
std::vector<std::string> munged_argv(const ClusterFolder& folder);
std::vector<std::string> node_argv(const std::string& node, bool with_user_namespace, bool is_cloud);
std::vector<std::string> namespaces_argv(bool with_user_namespace);  // node_argv's beginning: unshare and its options

}  // namespace lockstep::cluster
