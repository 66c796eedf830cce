// Random numbers that are the same in every run of a test.
#pragma once

#include <random>

namespace lockstep::testing {

inline std::mt19937_64 repeatable(unsigned seed) { return std::mt19937_64(seed); }

}  // namespace lockstep::testing
