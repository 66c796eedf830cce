// Whom each node exchanges a message with when a network is checked (runner/network_check, launcher/hosts/network).
#pragma once

#include <cstddef>
#include <set>

namespace lockstep {

// By powers of two, as sums over many ranks go: with up to five nodes these are all others. If a is b's, b is a's.
inline std::set<std::size_t> message_partners(std::size_t node, std::size_t nodes) {
  std::set<std::size_t> found;
  for (std::size_t distance = 1; distance < nodes; distance *= 2) {
    found.insert((node + distance) % nodes);
    found.insert((node + nodes - distance) % nodes);
  }
  found.erase(node);
  return found;
}

}  // namespace lockstep
