// What the tasks of a TensorFlow job are told of each other. All are "" in other jobs, and where nobody says at which
// addresses the nodes are.
#pragma once

#include <string>

#include "launcher/entrypoint/entrypoint.hpp"

namespace lockstep::entrypoint {

// https://www.tensorflow.org/api_docs/python/tf/distribute/cluster_resolver/TFConfigClusterResolver; "environment" as
// Azure ML has it. The task of rank r listens at its node's address and port `first_port` + r.
std::string tf_config(const RankPlace& place, const Environment& environment, int first_port);

// ADDRESS:PORT of each task of this role, in the order of their index, separated by commas.
std::string task_hosts(const RankPlace& place, const Environment& environment, int first_port, Role role);

}  // namespace lockstep::entrypoint
