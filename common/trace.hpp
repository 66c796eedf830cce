// Where the time of a command goes: LOCKSTEP_TRACE=1 prints each stage with its wall clock time to stderr.
#pragma once

namespace lockstep {

// "lockstep-trace <milliseconds since 1970, with microseconds> <stage>". Costs one comparison when it is off.
void trace(const char* stage);

}  // namespace lockstep
