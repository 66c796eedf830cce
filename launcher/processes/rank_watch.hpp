// When and how each rank ended, seen without standing between it and its launcher: a pidfd per registered rank, in the
// poll loop of whoever watches. The kernel tells how a process ended that is no child of ours since Linux 6.15; before
// that only the order of the ends is known, and the launcher's report has to say how.
#pragma once

#include <poll.h>

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/file.hpp"
#include "common/process.hpp"
#include "common/run_folder.hpp"

namespace lockstep::processes {

struct RankEnd {
  int rank = 0;
  std::optional<int> exit_code;  // neither: it ended, nobody knows how
  std::optional<int> signal;
  std::int64_t ended_ms = 0;  // wall clock, when we saw it
  bool unwatched = false;     // it was gone before we came to look: its place in the order says nothing
};

// From waitpid's status.
RankEnd rank_end(int rank, int wait_status, std::int64_t ended_ms);

// In the loop: add_to(polls); poll(polls); update(). Ranks that register later are taken up as their files appear.
class RankWatch {
 public:
  explicit RankWatch(const RunFolder& folder);

  void add_to(std::vector<pollfd>& polls) const;  // what wakes poll() when a rank registers or ends
  void update();                                  // never blocks
  // In the order in which they were seen to end. A rank that registers anew (a restart) has its next end added too.
  const std::vector<RankEnd>& ends() const { return ends_; }
  std::size_t running() const { return watched_.size(); }

 private:
  struct Watched {
    int rank = 0;
    ProcessId process;
    Fd handle;  // pidfd
  };
  void take_up_new();
  void note_ends();

  RunFolder folder_;
  Fd changes_;  // inotify on ranks/; without it (a limit of the system) new ranks are found at each update()
  bool looked_ = false;
  std::map<int, ProcessId> known_;  // by rank: the last registration that was taken up
  std::vector<Watched> watched_;
  std::vector<RankEnd> ends_;
};

}  // namespace lockstep::processes
