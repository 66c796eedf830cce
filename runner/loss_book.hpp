// The losses of steps, kept on the device until somebody asks: asking waits for the device, so it is done once for
// many.
#pragma once

#include <vector>

#include "kernels/kernels.hpp"

namespace lockstep::runner {

class LossBook {
 public:
  // Room for `entries` sums over a rank's `blocks` of a batch (a power of two, or one).
  LossBook(kernels::Device& device, kernels::Stream& stream, int blocks, int entries);

  // Begins a new entry. Throws failure when the book is full.
  void begin_entry();
  kernels::LossSums* block(int block);  // of the entry begun last; device memory, zero at first
  int entries() const { return begun_; }
  bool full() const { return begun_ == most_; }

  struct Entry {
    double loss = 0;  // summed over the blocks, pairwise (block_sum.hpp)
    std::int64_t correct = 0;
  };
  // Waits for the stream, gives all entries and forgets them.
  std::vector<Entry> take();

 private:
  kernels::Device& device_;
  kernels::Stream& stream_;
  std::unique_ptr<kernels::ArenaMath> math_;
  int blocks_;
  int most_;
  int begun_ = 0;
  kernels::Buffer there_;  // (entries, blocks)
  kernels::Buffer here_;   // the same on the host; empty where the device's memory is the host's
};

}  // namespace lockstep::runner
