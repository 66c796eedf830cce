#include "common/trace.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace lockstep {

void trace(const char* stage) {
  static const bool on = std::getenv("LOCKSTEP_TRACE") != nullptr;
  if (!on) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  std::fprintf(stderr, "lockstep-trace %.3f %s\n", static_cast<double>(microseconds) / 1000.0, stage);
}

}  // namespace lockstep
