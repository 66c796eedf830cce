// The keeper: a small process between supervisor and program. It has no store; it starts the program, waits for it,
// stops it when it is told to or when the supervisor is gone, and writes the true exit to state.json.
//
// Words from the supervisor: start <argc> <argv...> <working folder> <NAME=value...> | stop <state> <reason> | dismiss.
// Words to it: started <pid> <start time> | ended <text of state.json>. docs/supervision.md tells who dies and what
// then.
#pragma once

#include <string>
#include <vector>

#include "common/process.hpp"
#include "launcher/supervise/channel.hpp"
#include "launcher/supervise/ending.hpp"
#include "launcher/supervise/supervisor.hpp"

namespace lockstep::supervise {

// What the keeper starts.
struct Program {
  std::vector<std::string> argv;
  fs::path working_folder;
  Environment environment;
  bool operator==(const Program&) const = default;
};
Message start_message(const Program& program);
Program program_of(const Message& message);

Message stop_message(const StopRequest& stop);
StopRequest stop_of(const Message& message);

// Lives in a process of its own, forked by the supervisor; returns when the run's processes are gone and state.json is
// written. Standard output and error must already be the run's system.log.
void keep(const RunFolder& folder, int ranks, const Limits& limits, Channel channel);

}  // namespace lockstep::supervise
