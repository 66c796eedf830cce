// A sum over a power of two of ranks whose order is a fixed binary tree: ((0+1)+(2+3))+((4+5)+(6+7)). MPI_Allreduce
// leaves the order open (Open MPI's ring adds every piece in another one); with this one, ranks that each hold the sum
// of their blocks by the same tree end with the same bits, however many ranks share the blocks.
//
// Recursive halving, then the same way back (Rabenseifner: Optimization of Collective Reduction Operations, 2004), with
// the nearest rank first: 2 (1 - 1/N) of the values are sent, in 2 log2 N messages. Few values are sent whole to one
// partner after the other, log2 N messages; that is the same tree.
#pragma once

#include <mpi.h>

#include <span>
#include <vector>

namespace lockstep::runner {

template <class T>
class TreeSum {
 public:
  // The values belong to the sum until advance() returned true. All ranks start their sums in the same order; `tag` is
  // the sum's own among those in flight. At most 2^30 values.
  TreeSum(std::span<T> values, int rank, int ranks, int tag);

  // Goes on as far as it can without waiting, or to the end. True once the sum is complete.
  bool advance(bool wait);

 private:
  struct Part {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  void start_round();
  void end_round();
  void exchange(Part out, T* in, std::size_t in_count, int partner);
  bool all_at_once() const;
  int rounds() const { return all_at_once() ? levels_ : 2 * levels_; }

  std::span<T> values_;
  int rank_;
  int levels_ = 0;  // log2 of the number of ranks
  int tag_;
  int round_ = 0;
  std::vector<Part> kept_;  // by level: what this rank has after so many halvings
  std::vector<T> received_;
  MPI_Request requests_[2];
};

extern template class TreeSum<float>;
extern template class TreeSum<double>;

}  // namespace lockstep::runner
