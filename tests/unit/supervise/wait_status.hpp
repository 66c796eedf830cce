// What waitpid gives on Linux.
#pragma once

namespace lockstep::supervise {

constexpr int exited(int code) { return code << 8; }
constexpr int killed(int signal) { return signal; }

}  // namespace lockstep::supervise
