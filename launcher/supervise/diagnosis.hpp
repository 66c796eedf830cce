// Why a run failed, for a person: the earliest failing rank, where, how, its last lines, and what to try.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/run_folder.hpp"
#include "launcher/processes/rank_watch.hpp"

namespace lockstep::supervise {

using processes::RankEnd;

// What a failed run's log tells; kept in state.json.
struct FailureLog {
  std::string file;                     // the failing rank's log, or system.log
  std::vector<std::string> last_lines;  // of it, at most 20
  std::string hint;                     // what to try; empty when nothing is known
  bool operator==(const FailureLog&) const = default;
};

struct Diagnosis {
  std::optional<int> rank;  // none: no rank is to blame (mpirun could not start, or was killed itself)
  int node = 0;
  std::string host;
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string reason;  // one sentence: "rank 3 on node-2 was killed by signal 9 (out of memory?); log: .../rank-3.log"
  FailureLog log;
  std::string text() const;  // reason, last lines and hint as a block for a terminal or a log
};

// How the program that the keeper started (mpirun, or the rank itself) ended, as waitpid gave it; none: nobody knows,
// its parent was killed too.
//
// The earliest failing rank is the one that mpirun's report names, else the first of `ends` that failed, else (nobody
// knows how the ranks ended) the first that was seen to end at all. A rank that ended with 0 has not failed; one that
// ended with 75 stopped on request and is named only when nobody else failed. Of ranks that ended with one exit code
// the one that is named has said something, if any has. `launcher_text` is what mpirun wrote in this attempt: the part
// of logs/system.log since it was started.
Diagnosis diagnose(const RunFolder& folder, const std::vector<RankEnd>& ends, std::optional<int> launcher_status,
                   std::string_view launcher_text);

// A node whose preparation (the job's) failed, the first that did: then no rank is to blame, and the log is its
// preparation's. nullopt: there is none.
std::optional<Diagnosis> diagnose_preparation(const RunFolder& folder);

// Of a rank that is known to have failed so, with what the logs hold by now; `ends` as above.
Diagnosis diagnose_rank(const RunFolder& folder, const RankEnd& end, const std::vector<RankEnd>& ends, bool aborted);

}  // namespace lockstep::supervise
