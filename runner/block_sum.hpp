// The sum over the blocks of a batch, pairwise: ((0+1)+(2+3))+... A rank that has a power of two of neighbouring blocks
// ends with the sum that stands at its place in the tree over all blocks, and Collective adds those by the rest of the
// tree: so the gradients are the same bits whether one rank computes all blocks or every block has a rank of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/kernels.hpp"

namespace lockstep::runner {

// Into how many blocks a global batch is cut: as many as asked for, at least one for each rank. On a number of ranks
// that is no power of two each rank has one block, and the sum is MPI's. `asked` is a power of two.
int blocks_of(int asked, int ranks);

class BlockSum {
 public:
  // `values` (device memory) is where every block's are computed, by work of `stream`, and where the sum will be;
  // `blocks` is a power of two. Keeps log2 of `blocks` copies of the values.
  BlockSum(kernels::Device& device, kernels::Stream& stream, std::span<float> values, int blocks);

  // values[begin, end) are block `block`'s (blocks come in order, ranges as they like). After the last block's, that
  // range is the sum. Queued on the stream.
  void take(int block, std::size_t begin, std::size_t end);

 private:
  kernels::Device& device_;
  kernels::Stream& stream_;
  std::unique_ptr<kernels::ArenaMath> math_;
  std::span<float> values_;
  int blocks_;
  std::vector<kernels::Buffer> waiting_;  // by level: the sum of 2^level blocks that waits for its neighbour
};

// The same sum of numbers that are all there; the count is a power of two.
double pairwise_sum(std::span<const double> values);

}  // namespace lockstep::runner
