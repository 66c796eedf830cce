// Doing a durable thing again while the disk is full or the store is locked, for as long as is reasonable.
#pragma once

#include <cstdint>
#include <functional>

namespace lockstep::supervise {

// Calls `act` until it does not throw Error of kind failure; after limit_ms the last one is passed on. Errors that
// would come again (bad input, not found, not the owner any more, a transition that can't be) are passed on at once.
void with_retries(const std::function<void()>& act, std::int64_t limit_ms = 30'000);

}  // namespace lockstep::supervise
