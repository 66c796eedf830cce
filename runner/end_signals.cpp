#include "runner/end_signals.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace lockstep::runner {

static std::atomic<int> end_signal = 0;  // set by a handler, read by the thread that reports
static_assert(std::atomic<int>::is_always_lock_free);
static struct sigaction before_interrupt;
static struct sigaction before_hangup;

static void on_end_signal(int signal) {
  if (end_signal != 0) {
    ::signal(signal, SIG_DFL);
    ::raise(signal);  // as soon as this handler has returned
  }
  end_signal = signal;
}

static void catch_one(int signal, struct sigaction& before) {
  struct sigaction action {};
  action.sa_handler = on_end_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, &before);
  if (before.sa_handler == SIG_IGN) ::sigaction(signal, &before, nullptr);  // nohup
}

void catch_end_signals() {
  end_signal = 0;
  catch_one(SIGINT, before_interrupt);
  catch_one(SIGHUP, before_hangup);
}

void release_end_signals() {
  ::sigaction(SIGINT, &before_interrupt, nullptr);
  ::sigaction(SIGHUP, &before_hangup, nullptr);
}

bool end_signal_came() { return end_signal != 0; }

void end_by_signal() {
  const int signal = end_signal;
  ::signal(signal, SIG_DFL);
  ::kill(::getpid(), signal);
}

}  // namespace lockstep::runner
