// Times: milliseconds since the epoch in stores and files, ISO 8601 for people.
#pragma once

#include <cstdint>
#include <string>

namespace lockstep {

std::int64_t now_ms();                                 // wall clock, milliseconds since 1970-01-01 UTC
std::int64_t monotonic_ms();                           // for measuring and waiting; never jumps
double monotonic_s();                                  // the same, in seconds and finer
std::string iso8601(std::int64_t milliseconds);        // 2026-11-23T16:45:01.250Z
std::string duration_text(std::int64_t milliseconds);  // 850 ms, 12.4 s, 3 min 20 s, 2 h 05 min

}  // namespace lockstep
