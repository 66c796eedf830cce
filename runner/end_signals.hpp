// SIGINT and SIGHUP end a training at once, unsaved. One that reports says so to its server first.
#pragma once

namespace lockstep::runner {

void catch_end_signals();    // from now on one of them only makes end_signal_came() true; a second one ends the process
void release_end_signals();  // as before
bool end_signal_came();
void end_by_signal();  // as the signal would have

}  // namespace lockstep::runner
