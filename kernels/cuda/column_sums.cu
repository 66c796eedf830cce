// Two launches: parts of the rows first, then the parts. A block takes 32 columns, its 8 warps every eighth row.
// Traffic: 4 bytes an element, 8 for each column of each part, and 4 a column; a part has at least 512 rows, and there
// are at most 512 parts.
#include "kernels/cuda/column_sums.hpp"

#include <algorithm>

#include "kernels/cuda/launch.hpp"

namespace lockstep::kernels::cuda {
namespace {

constexpr int columns_of_block = 32;
constexpr int warps_of_block = 8;
constexpr std::int64_t fewest_rows = 512;
constexpr std::int64_t most_parts = 512;

std::int64_t rounded_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// sums (gridDim.y, columns): part p has the rows from p * rows_of_part on.
__global__ void sum_parts(const float* x, float* sums, std::int64_t rows, std::int64_t columns,
                          std::int64_t rows_of_part) {
  GPU_SHARED(float, of_warps, columns_of_block* warps_of_block);
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * columns_of_block + threadIdx.x;
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.y) * rows_of_part;
  const std::int64_t end = first + rows_of_part < rows ? first + rows_of_part : rows;
  float sum = 0;
  if (column < columns) {
    for (std::int64_t row = first + threadIdx.y; row < end; row += warps_of_block) sum += x[row * columns + column];
  }
  of_warps[threadIdx.y * columns_of_block + threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || column >= columns) return;
  for (unsigned warp = 1; warp < warps_of_block; ++warp) sum += of_warps[warp * columns_of_block + threadIdx.x];
  sums[blockIdx.y * columns + column] = sum;
}

}  // namespace

ColumnSums::ColumnSums(CudaDevice& device, std::int64_t rows, std::int64_t columns)
    : rows_(rows),
      columns_(columns),
      rows_of_part_(std::max(fewest_rows, rounded_up(rows, most_parts))),
      parts_(rounded_up(rows, rows_of_part_)),
      partial_(device.allocate(static_cast<std::size_t>(parts_ > 1 ? parts_ * columns : 0) * sizeof(float))) {}

void ColumnSums::run(const float* x, float* total, Stream& stream) {
  const auto across = static_cast<unsigned>((columns_ + columns_of_block - 1) / columns_of_block);
  const auto queue = [&](const float* from, float* to, std::int64_t rows, std::int64_t rows_of_part) {
    const auto parts = static_cast<unsigned>(rounded_up(rows, rows_of_part));
    launch({"sum_parts", dim3(across, parts), dim3(columns_of_block, warps_of_block), 0, of(stream)}, sum_parts, from,
           to, rows, columns_, rows_of_part);
  };
  if (parts_ == 1) return queue(x, total, rows_, rows_);
  auto* partial = static_cast<float*>(partial_.data());
  queue(x, partial, rows_, rows_of_part_);
  queue(partial, total, parts_, parts_);
}

}  // namespace lockstep::kernels::cuda
