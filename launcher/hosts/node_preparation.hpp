// What a compute wants done on each of its machines before the first run there: engine.node_preparation.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "launcher/hosts/preflight.hpp"

namespace lockstep::hosts {

struct PreparedNode {
  spec::Host host;
  std::string problem = {};  // empty: it is prepared
  std::string output = {};   // of the command, if it ran now
  bool ran = false;
};

// Runs the command on those of these hosts where it has not ended well since they were started, on all at once: as
// root, or by `sudo -n`. It ends with us. Throws failure("canceled").
std::vector<PreparedNode> prepare_nodes(const plan::RemotePart& remote, const std::vector<spec::Host>& hosts,
                                        const std::function<bool()>& canceled);

// Adds to the problems of hosts that answer that the last try failed there; runs nothing.
void add_failed_preparations(const plan::RemotePart& remote, std::vector<HostReport>& reports);

// In a cluster: nobody else gets the node. Where we may not say so, only this run passes it over.
void drain(const plan::RemotePart& remote, const PreparedNode& node);

}  // namespace lockstep::hosts
