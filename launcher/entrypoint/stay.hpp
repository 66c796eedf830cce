// Staying as the parent of a command, instead of becoming it.
#pragma once

#include <functional>

namespace lockstep::entrypoint {

// Starts a child, which calls `become_command` (that never returns), and waits for it; signals that come meanwhile go
// to the child's process group, and the child dies with us. Whatever else becomes our child (we may be process 1 of a
// container) is reaped. `is_over` is asked five times a second: when it says true the command gets TERM, ten seconds
// later KILL, and has succeeded. Returns waitpid's status. Throws failure when no child can be made.
int stay_with(const std::function<void()>& become_command, const std::function<bool()>& is_over);

// Ends this process as another ended: with its exit code, or by its signal.
[[noreturn]] void end_like(int wait_status);

}  // namespace lockstep::entrypoint
