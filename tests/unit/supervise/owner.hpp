// A process to own entries of the ledger, which ends when the test says so.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/process.hpp"

namespace lockstep::supervise {

class Owner {
 public:
  Owner() {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::pause();
      ::_exit(0);
    }
    id_ = {pid, start_time_of(pid).value_or(0)};
  }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() { die(); }
  void die() {
    if (id_.pid == 0) return;
    ::kill(id_.pid, SIGKILL);
    ::waitpid(id_.pid, nullptr, 0);
    id_.pid = 0;
  }
  const ProcessId& id() const { return id_; }

 private:
  ProcessId id_;
};

}  // namespace lockstep::supervise
