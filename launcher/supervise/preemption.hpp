// Asking for a run to be preempted, as a cluster does it: its ranks are asked to save, its nodes go back, and it goes
// on when it has got nodes again.
#pragma once

#include <string>

#include "common/run_folder.hpp"
#include "history/store/store.hpp"

namespace lockstep::supervise {

// The request is a file of the run's folder, durable when this returns; the supervisor sees it at its next look, and
// removes it when the run is Queued again. False: it was asked before. Throws bad_input, with the reason, for a run
// that can't be preempted: it has no nodes now, has ended, or runs where nobody would take its nodes away.
bool request_preemption(const Workspace& workspace, history::Store& store, const std::string& run_id,
                        const std::string& reason);

bool preemption_is_requested(const RunFolder& folder);
void forget_preemption_request(const RunFolder& folder);

}  // namespace lockstep::supervise
