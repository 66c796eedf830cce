#include "cli/interrupt.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace lockstep::cli {

static volatile std::sig_atomic_t interrupts = 0;
static volatile std::sig_atomic_t wake_fd = -1;

static void on_interrupt(int /*signal*/) {
  const int saved = errno;
  interrupts = interrupts + 1;
  const char byte = 0;
  if (::write(wake_fd, &byte, 1) < 0) errno = saved;  // a full pipe wakes as well
  errno = saved;
}

InterruptWatch::InterruptWatch() : pipe_(make_pipe()) {
  ::fcntl(pipe_.first.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(pipe_.second.get(), F_SETFL, O_NONBLOCK);
  interrupts = 0;
  wake_fd = pipe_.second.get();
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
}

InterruptWatch::~InterruptWatch() {
  std::signal(SIGINT, SIG_DFL);
  wake_fd = -1;
}

int InterruptWatch::count() {
  std::array<char, 16> bytes{};
  while (::read(pipe_.first.get(), bytes.data(), bytes.size()) > 0) {
  }
  return interrupts;
}

}  // namespace lockstep::cli
