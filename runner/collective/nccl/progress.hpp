// How far a rank is with its collectives: what ranks tell each other so that a late one can be named.
#pragma once

#include <cstdint>
#include <string>

namespace lockstep::runner {

enum class Operation : std::int32_t { all_reduce, reduce_scatter, all_gather };
const char* name_of(Operation operation);

enum class RankState : std::int32_t {
  running,
  leaving,  // it has closed its sums in order, or says itself why it fails
};

// Travels as these bytes, between machines of one kind.
struct Progress {
  std::int64_t started = 0;   // collectives queued so far: equal numbers are the same collective on all ranks
  std::int64_t reached = 0;   // of them, those that the GPU has come to: what goes before them is done
  std::int64_t finished = 0;  // of them, those that it is done with
  std::int64_t bytes = 0;     // of collective finished + 1, if it was started
  Operation operation = Operation::all_reduce;
  RankState state = RankState::running;
  bool operator==(const Progress&) const = default;
};

// What is known of a rank.
struct RankRecord {
  Progress progress;
  std::string host;
  bool gone = false;    // its connection ended, and it had not said that it was leaving
  double silent_s = 0;  // since its last word, which comes several times a second from a process that runs
};

}  // namespace lockstep::runner
