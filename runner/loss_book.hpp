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

  // An entry is made by work queued on the stream: begin(), what adds to block(i), end(). The blocks' places (device
  // memory) are the same for every entry, so begin() and the adding may be a recording's.
  void begin();
  kernels::LossSums* block(int block) { return static_cast<kernels::LossSums*>(now_.data()) + block; }
  void end();  // throws failure when the book is full
  int entries() const { return entries_; }
  bool full() const { return entries_ == most_; }

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
  int entries_ = 0;
  kernels::Buffer now_;    // (blocks)
  kernels::Buffer there_;  // (entries, blocks)
  kernels::Buffer here_;   // the same on the host; empty where the device's memory is the host's
};

}  // namespace lockstep::runner
