// What mpirun says about a job that failed (Open MPI 4.1, on its stderr, which is in logs/system.log).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lockstep::processes {

struct MpirunReport {
  std::optional<int> rank;  // the first to fail, if it says so; it does not always
  std::optional<int> exit_code;
  std::optional<int> signal;
  bool aborted = false;  // by MPI_Abort
  std::string trouble;   // in its own words, when it could not start or go on by itself; one line
};

// mpirun's own exit code when it has lost its daemon on a node: its ranks there are gone, the others were ended by it.
inline constexpr int lost_daemon_code = 205;

// Give it the text of one start only: the first rank that is named counts, as the first failure is the cause.
MpirunReport parse_mpirun_report(std::string_view text);

}  // namespace lockstep::processes
