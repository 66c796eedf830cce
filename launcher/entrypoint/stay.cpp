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

void Command::signal(int number) const { ::kill(-pid_, number); }

void Command::dismiss() {
  const std::int64_t now = monotonic_ms();
  if (dismissed_ms_ == 0) {
    dismissed_ms_ = now;
    signal(SIGTERM);
    signal(SIGCONT);
  } else if (now - dismissed_ms_ > time_to_leave_ms) {
    signal(SIGKILL);
  }
}

int stay_with(const std::function<void()>& become_command, const std::function<void(Command&)>& look) {
  const sigset_t watched = watched_signals();
  sigset_t usual;
  ::sigprocmask(SIG_BLOCK, &watched, &usual);
  Command command(start_child(become_command, usual));
  while (true) {
    const timespec pause{0, between_looks_ns};
    const int signal = ::sigtimedwait(&watched, nullptr, &pause);
    if (const auto status = reap(command.pid())) return command.was_dismissed() ? 0 : *status;
    if (signal > 0 && signal != SIGCHLD) command.signal(signal);
    look(command);
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
