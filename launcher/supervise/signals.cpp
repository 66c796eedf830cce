#include "launcher/supervise/signals.hpp"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/error.hpp"

namespace lockstep::supervise {

static sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int each : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, each);
  return set;
}

void take_over_signals() {
  for (const int each : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTOU, SIGWINCH}) {
    ::signal(each, SIG_DFL);
  }
  ::signal(SIGPIPE, SIG_IGN);
  const sigset_t set = handled_signals();
  if (::sigprocmask(SIG_SETMASK, &set, nullptr) != 0) throw system_failure("cannot block signals");
}

SignalFd::SignalFd() {
  const sigset_t set = handled_signals();
  fd_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_) throw system_failure("cannot make a signalfd");
}

std::vector<int> SignalFd::read() {
  std::vector<int> came;
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) == sizeof info) came.push_back(static_cast<int>(info.ssi_signo));
  return came;
}

void wait_readable(std::vector<pollfd> descriptors, int timeout_ms) {
  ::poll(descriptors.data(), descriptors.size(), timeout_ms);
}

void wait_readable(std::initializer_list<int> descriptors, int timeout_ms) {
  std::vector<pollfd> waiting;
  for (const int each : descriptors) waiting.push_back({each, POLLIN, 0});
  wait_readable(std::move(waiting), timeout_ms);
}

}  // namespace lockstep::supervise
