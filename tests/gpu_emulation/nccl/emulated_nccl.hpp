// What tests may ask of the stand-in for NCCL beside NCCL's own functions.
#pragma once

#include <nccl.h>

namespace lockstep::emulation {

// From now on ncclCommGetAsyncError gives this for every communicator of the process; ncclSuccess: as it is.
void inject_nccl_error(ncclResult_t error);

int live_communicators();  // of this process, neither destroyed nor aborted

}  // namespace lockstep::emulation
