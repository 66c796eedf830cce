#include "launcher/entrypoint/stay.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <optional>

#include "common/clock.hpp"
#include "common/error.hpp"

namespace lockstep::entrypoint {

namespace {
constexpr long between_looks_ns = 200'000'000;
constexpr std::int64_t time_to_leave_ms = 10'000;

// CHLD wakes us; the others are passed on. STOP and TSTP are left alone: they stop us, and their sender means that.
sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int each : {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT}) {
    sigaddset(&signals, each);
  }
  return signals;
}

// How the child ended, if it has; all others are reaped on the way. What the child left in its process group gets TERM
// while the child's pid is still its own.
std::optional<int> reap(pid_t child) {
  std::optional<int> ended;
  while (true) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return ended;
    if (info.si_pid == child) ::kill(-child, SIGTERM);
    int status = 0;
    ::waitpid(info.si_pid, &status, 0);
    if (info.si_pid == child) ended = status;
  }
}

class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}

  void signal(int number) const { ::kill(-pid_, number); }

  // In the end the command's helpers go, too, which its group has.
  void leave_no_time_beyond(std::int64_t now_ms) {
    if (asked_ms_ == 0) {
      asked_ms_ = now_ms;
      signal(SIGTERM);
      signal(SIGCONT);
    } else if (now_ms - asked_ms_ > time_to_leave_ms) {
      signal(SIGKILL);
    }
  }
  bool was_asked() const { return asked_ms_ != 0; }

 private:
  pid_t pid_;
  std::int64_t asked_ms_ = 0;  // when it was asked to leave
};

pid_t start_child(const std::function<void()>& become_command, const sigset_t& usual_mask) {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) throw system_failure("cannot start the command");
  if (child > 0) {
    ::setpgid(child, child);  // both do, so that the group is there whoever comes first
    return child;
  }
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it died before we asked to die with it
  ::sigprocmask(SIG_SETMASK, &usual_mask, nullptr);
  become_command();
  ::_exit(1);
}
}  // namespace

int stay_with(const std::function<void()>& become_command, const std::function<bool()>& is_over) {
  const sigset_t watched = watched_signals();
  sigset_t usual;
  ::sigprocmask(SIG_BLOCK, &watched, &usual);
  const pid_t pid = start_child(become_command, usual);
  Child child(pid);
  while (true) {
    const timespec pause{0, between_looks_ns};
    const int signal = ::sigtimedwait(&watched, nullptr, &pause);
    if (const auto status = reap(pid)) return child.was_asked() ? 0 : *status;
    if (signal > 0 && signal != SIGCHLD) child.signal(signal);
    if (child.was_asked() || is_over()) child.leave_no_time_beyond(monotonic_ms());
  }
}

void end_like(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const rlimit no_core{0, 0};  // the command has written its own
    ::setrlimit(RLIMIT_CORE, &no_core);
    const int signal = WTERMSIG(wait_status);
    ::signal(signal, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::raise(signal);
  }
  ::_exit(WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 1);
}

}  // namespace lockstep::entrypoint
