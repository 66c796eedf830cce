// What of the stand-in's memory kernels may touch, and who touched it. It lives as long as the program that runs
// kernels; launches are numbered through by their blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tests/ptx/interpreter/shadow.hpp"

namespace lockstep::ptx {

struct Allocation {
  std::uint64_t begin = 0;  // a host address; the device shares them
  std::size_t bytes = 0;
  std::unique_ptr<Shadow> shadow;
};

class GlobalMemory {
 public:
  // Takes over what is allocated now; gives the number of the launch's first block.
  std::uint64_t begin_launch(std::uint64_t blocks);

  // The allocation with that address, or the one nearest below it; null where there is none.
  Allocation* nearest(std::uint64_t address);

 private:
  std::vector<Allocation> allocations_;  // by address
  Allocation* last_ = nullptr;
  std::uint64_t next_block_ = 1;
};

}  // namespace lockstep::ptx
