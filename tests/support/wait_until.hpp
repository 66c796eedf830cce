// Tests wait on conditions, never on time.
#pragma once

#include <poll.h>

#include <chrono>

namespace lockstep::testing {

// Asks until `condition()` is true or the deadline has passed; says which.
template <class Condition>
bool wait_until(Condition condition, std::chrono::milliseconds deadline = std::chrono::seconds(20)) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    ::poll(nullptr, 0, 2);  // leaves the processor to whoever makes it true
  }
  return true;
}

}  // namespace lockstep::testing
