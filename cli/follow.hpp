// Watching a run from this terminal: its logs, states and progress, until it has ended.
#pragma once

#include <unistd.h>

#include <functional>
#include <optional>
#include <string>

#include "cli/interrupt.hpp"
#include "common/run_folder.hpp"
#include "history/store/store.hpp"

namespace lockstep::cli {

struct FollowOptions {
  std::optional<int> rank;  // only this rank's log
  bool quiet = false;       // the ranks' lines and nothing else
  int out = STDOUT_FILENO;
  // What the first Ctrl-C does; empty: it detaches at once. A second one always detaches.
  std::function<void()> cancel;
};

struct Followed {
  history::Run run;          // as it was at the end, or when we detached
  bool interrupted = false;  // by Ctrl-C
};

// `ended` is supervise::Started's pipe (its end is noticed at once) or -1. Returns when the run is in a terminal state
// and everything that it wrote has been shown, or after a Ctrl-C that detaches. Of a run whose supervisor we started
// nothing is written any more then, unless its archive takes longer than five seconds.
Followed follow(const Workspace& workspace, const std::string& run_id, int ended, InterruptWatch& interrupts,
                const FollowOptions& options);

// The exit code that tells how a followed run ended.
int exit_code_of(const Followed& followed);

}  // namespace lockstep::cli
