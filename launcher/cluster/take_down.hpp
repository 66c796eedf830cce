// The end of a cluster, for who holds its lock.
#pragma once

#include "launcher/cluster/cluster.hpp"

namespace lockstep::cluster {

void take_down_locked(const ClusterFolder& folder, const Tell& tell);

}  // namespace lockstep::cluster
