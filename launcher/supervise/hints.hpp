// From the last lines of a failed rank's log, and how it ended, to what a person should try.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace lockstep::supervise {

struct FailureTraces {
  std::vector<std::string> lines;  // of the log, the last ones, in order
  std::optional<int> exit_code;
  std::optional<int> signal;
  bool aborted = false;      // MPI_Abort
  std::string program_path;  // the PATH that the rank had
};

// The first hint of the table that fits, or "".
std::string hint_for(const FailureTraces& traces);

}  // namespace lockstep::supervise
