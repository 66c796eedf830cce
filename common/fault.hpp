// Named points at which a test can have a process killed, to show that dying there loses nothing.
#pragma once

namespace lockstep {

// If LOCKSTEP_FAULT is "<name>" or "<name>:<n>", the process sends itself SIGKILL when it passes the point for the
// first (n-th) time. Costs one comparison with a null pointer otherwise.
void fault_point(const char* name);

}  // namespace lockstep
