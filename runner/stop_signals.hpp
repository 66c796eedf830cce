// What others ask of a rank by signals: SIGTERM, save and leave; SIGUSR1, save and go on.
#pragma once

namespace lockstep::runner {

void install_stop_signals();  // from now on; forgets earlier ones
bool stop_requested();        // stays true
bool save_requested();        // until forget_save_request
void forget_save_request();

}  // namespace lockstep::runner
