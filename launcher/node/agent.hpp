// The agent of one run on one node: started over ssh by the run's supervisor, speaks frames over standard input and
// output. It asks the node's ranks to stop or to save, brings what they write to the workspace where no files are
// shared, samples the machine, and sees to it that nothing of the run is left on the node in the end. When nobody has
// spoken to it for too long (the supervisor was killed, the link was cut) it ends the run on its node by itself.
#pragma once

#include <cstdint>
#include <optional>

#include "common/run_folder.hpp"

namespace lockstep::node {

struct AgentOptions {
  RunFolder folder{fs::path()};  // of the run, as the ranks of this node see it
  bool mirror = false;           // the workspace does not see it
  std::int64_t stop_grace_ms = 30'000;
  std::optional<std::int64_t> sampling_interval_ms = {};
  int port = 0;  // of this node's loopback, at which its ranks find the run's tracking endpoint; 0: none
};

inline constexpr std::int64_t heartbeat_ms = 2'000;
inline constexpr std::int64_t silence_limit_ms = 20'000;  // ten heartbeats: the node is gone
// A supervisor that was killed is noticed at once, as the connection ends; one that waits for a disk is not gone.
inline constexpr std::int64_t supervisor_silence_limit_ms = 45'000;

int attend_node(const AgentOptions& options);  // returns the exit code

}  // namespace lockstep::node
