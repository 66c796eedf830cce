// What a launch did, counted.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "tests/ptx/interpreter/program.hpp"

namespace lockstep::ptx {

inline constexpr std::uint64_t sector_bytes = 32;

struct Counts {
  // A request is what one load or store of a warp asks of global memory; its sectors are the pieces of 32 bytes, from
  // the beginning of an allocation on, that its active lanes touch. A sector counts again for every request that asks
  // for it, whether a cache would answer or not.
  std::uint64_t requests = 0;
  std::uint64_t sectors = 0;
  // Bytes of global memory that some thread read, or wrote: each once, however often.
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;

  // Passes over shared memory: for each request as many as the words that fall on one bank. A request of 8 or 16 bytes
  // a lane goes by half or quarter warps. Fewest: what the request's different words need at 32 a pass.
  std::uint64_t shared_passes = 0;
  std::uint64_t fewest_passes = 0;

  // Executed by lanes; those that a predicate switched off do not count.
  std::uint64_t instructions = 0;
  std::array<std::uint64_t, mixes> mix{};

  Counts& operator+=(const Counts& other) {
    requests += other.requests;
    sectors += other.sectors;
    bytes_read += other.bytes_read;
    bytes_written += other.bytes_written;
    shared_passes += other.shared_passes;
    fewest_passes += other.fewest_passes;
    instructions += other.instructions;
    for (std::size_t i = 0; i < mixes; ++i) mix[i] += other.mix[i];
    return *this;
  }

  std::uint64_t of(Mix kind) const { return mix[static_cast<std::size_t>(kind)]; }
  double fewest_sectors() const {
    return static_cast<double>(bytes_read + bytes_written) / static_cast<double>(sector_bytes);
  }
};

}  // namespace lockstep::ptx
