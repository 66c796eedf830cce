#include "runner/stop_signals.hpp"

#include <signal.h>

namespace lockstep::runner {

static volatile sig_atomic_t stop_flag = 0;
static volatile sig_atomic_t save_flag = 0;

static void on_stop_signal(int signal) { (signal == SIGTERM ? stop_flag : save_flag) = 1; }

void install_stop_signals() {
  stop_flag = 0;
  save_flag = 0;
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  action.sa_flags = SA_RESTART;  // a read or write in progress goes on; the loop looks at the flags once a step
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGUSR1, &action, nullptr);
}

bool stop_requested() { return stop_flag != 0; }
bool save_requested() { return save_flag != 0; }
void forget_save_request() { save_flag = 0; }

}  // namespace lockstep::runner
