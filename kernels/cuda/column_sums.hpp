// Sums over the rows of a matrix: the gradient of a bias.
#pragma once

#include "kernels/cuda/device.hpp"

namespace lockstep::kernels::cuda {

class ColumnSums {
 public:
  ColumnSums(CudaDevice& device, std::int64_t rows, std::int64_t columns);
  // total (columns) = the sum of x (rows, columns) over its rows, in float32 and in an order that depends on the sizes
  // alone.
  template <class From, class To>
  void run(const From* x, To* total, Stream& stream);

 private:
  std::int64_t rows_;
  std::int64_t columns_;
  std::int64_t rows_of_part_;
  std::int64_t parts_;  // of the rows, summed side by side
  Buffer partial_;      // (parts, columns)
};

}  // namespace lockstep::kernels::cuda
