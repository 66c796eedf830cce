// Random numbers that are the same in every run of a test.
#pragma once

#include <cstdlib>
#include <random>
#include <string>

namespace lockstep::testing {

inline std::mt19937_64 repeatable(unsigned seed) { return std::mt19937_64(seed); }

inline int number_from_environment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoi(text);
}

// Tests that kill at random moments: how often, and which moments.
inline int kill_rounds() { return number_from_environment("LOCKSTEP_KILL_ROUNDS", 5); }
inline unsigned kill_seed() { return static_cast<unsigned>(number_from_environment("LOCKSTEP_SEED", 20261123)); }

}  // namespace lockstep::testing
