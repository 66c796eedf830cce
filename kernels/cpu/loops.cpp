#include "kernels/cpu/loops.hpp"

#include <algorithm>

namespace lockstep::kernels::cpu {

LOCKSTEP_VECTOR_CLONES void sum_rows(const float* x, std::int64_t rows, std::int64_t columns, float* total) {
  std::fill(total, total + columns, 0.0F);
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* __restrict from = x + row * columns;
    float* __restrict to = total;
    for (std::int64_t column = 0; column < columns; ++column) to[column] += from[column];
  }
}

}  // namespace lockstep::kernels::cpu
