// Staying as the parent of a command, instead of becoming it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>

namespace lockstep::entrypoint {

// The command that we stay with, for whoever looks after it. It leads a process group of its own.
class Command {
 public:
  explicit Command(pid_t pid) : pid_(pid) {}

  pid_t pid() const { return pid_; }
  void signal(int number) const;  // to its group
  // It is not needed any more: TERM, and KILL ten seconds later; call it again and again. Its end then is a success.
  void dismiss();
  bool was_dismissed() const { return dismissed_ms_ != 0; }

 private:
  pid_t pid_;
  std::int64_t dismissed_ms_ = 0;
};

// Starts a child, which calls `become_command` (that never returns), and waits for it; signals that come meanwhile go
// to the child's process group, and the child dies with us. Whatever else becomes our child (we may be process 1 of a
// container) is reaped. `look` is called five times a second. Returns waitpid's status, or 0 when the command was
// dismissed. Throws failure when no child can be made.
int stay_with(const std::function<void()>& become_command, const std::function<void(Command&)>& look);

// Ends this process as another ended: with its exit code, or by its signal.
[[noreturn]] void end_like(int wait_status);

}  // namespace lockstep::entrypoint
