// Signals of supervisor and keeper as a descriptor to poll, so that no code of theirs runs in a handler.
#pragma once

#include <poll.h>

#include <initializer_list>
#include <vector>

#include "common/file.hpp"

namespace lockstep::supervise {

// Gives signals that a command may have had handlers for their default action back, ignores SIGPIPE, and blocks those
// that SignalFd reads. Children inherit the mask; start_program clears it for programs.
void take_over_signals();

// Readable when SIGCHLD, SIGTERM, SIGINT or SIGHUP has come to this process.
class SignalFd {
 public:
  SignalFd();
  int fd() const { return fd_.get(); }
  std::vector<int> read();  // the signals that came, without waiting

 private:
  Fd fd_;
};

// Waits until one of the descriptors is readable (those < 0 never are), at most so long; -1: without end.
void wait_readable(std::vector<pollfd> descriptors, int timeout_ms);
void wait_readable(std::initializer_list<int> descriptors, int timeout_ms);

}  // namespace lockstep::supervise
