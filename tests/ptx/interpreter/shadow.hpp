// Who touched which byte last: what finds races. Two accesses of different threads to one byte, one of them a write,
// need an order: a barrier between threads of a block, a __syncwarp between lanes of a warp; threads of two blocks have
// none within a launch. Atomic operations need none among themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep::ptx {

// A thread at a time.
struct Stamp {
  std::uint64_t block : 28 = 0;   // numbered through all launches, from 1 on
  std::uint64_t epoch : 16 = 0;   // barriers that the block passed
  std::uint64_t sync : 6 = 0;     // and __syncwarps that the warp did
  std::uint64_t thread : 10 = 0;  // in the block
  std::uint64_t atomic : 1 = 0;
  // Of readers, of whom one is kept: it stands for several
  std::uint64_t several_lanes : 1 = 0;
  std::uint64_t several_warps : 1 = 0;
  std::uint64_t several_blocks : 1 = 0;
};
inline constexpr std::uint64_t most_blocks = (std::uint64_t{1} << 28U) - 1;

enum class Touch : std::uint8_t { read, write };

struct Conflict {
  bool found = false;
  bool with_writer = false;  // else with a reader
  Stamp other{};
};

// Of one piece of memory. It needs no clearing between launches: stamps of blocks before `since` mean nothing.
class Shadow {
 public:
  explicit Shadow(std::size_t bytes) : stamps_((bytes + word - 1) / word) {}

  // Checks the access and remembers it. `fresh` grows by the bytes that nobody had touched in this way since `since`.
  Conflict touch(std::size_t offset, std::size_t bytes, Touch how, const Stamp& now, std::uint64_t since,
                 std::uint64_t& fresh);
  // Whether all of it was written since `since`.
  bool was_written(std::size_t offset, std::size_t bytes, std::uint64_t since);

 private:
  static constexpr std::size_t word = 4;
  struct Pair {
    Stamp writer;
    Stamp reader;
  };
  void split_words();  // from now on for every byte, not for every word

  std::vector<Pair> stamps_;
  std::size_t unit_ = word;  // bytes that a pair stands for
};

}  // namespace lockstep::ptx
