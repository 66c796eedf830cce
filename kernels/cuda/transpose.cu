// A block moves a tile of 32 x 32 through shared memory, so that both reading and writing run along memory. The tile's
// rows are one bank longer than 32: a column of it lies in 32 different banks.
// Traffic: 8 bytes an element in float32.
#include "kernels/cuda/transpose.hpp"

#include "kernels/cuda/device.hpp"
#include "kernels/cuda/pack.hpp"

namespace lockstep::kernels::cuda {
namespace {

constexpr int tile_side = 32;
constexpr int rows_at_once = 8;
// A tile's rows begin one bank apart: an element of four bytes, or two of two, stand unused behind each.
template <class T>
constexpr int row_of_tile = tile_side + 4 / static_cast<int>(sizeof(T));

template <class T>
__global__ void transpose_tiles(const T* from, T* to, std::int64_t outer, std::int64_t rows, std::int64_t columns) {
  GPU_SHARED(T, tile, tile_side * row_of_tile<T>);
  const std::int64_t tiles_across = (columns + tile_side - 1) / tile_side;
  const std::int64_t tiles_down = (rows + tile_side - 1) / tile_side;
  for (std::int64_t at = blockIdx.x; at < outer * tiles_down * tiles_across; at += gridDim.x) {
    const std::int64_t image = at / (tiles_down * tiles_across) * rows * columns;
    const std::int64_t first_row = at / tiles_across % tiles_down * tile_side;
    const std::int64_t first_column = at % tiles_across * tile_side;
    for (int y = static_cast<int>(threadIdx.y); y < tile_side; y += rows_at_once) {
      const std::int64_t row = first_row + y;
      const std::int64_t column = first_column + threadIdx.x;
      if (row < rows && column < columns) {
        tile[y * row_of_tile<T> + static_cast<int>(threadIdx.x)] = from[image + row * columns + column];
      }
    }
    __syncthreads();
    for (int y = static_cast<int>(threadIdx.y); y < tile_side; y += rows_at_once) {
      const std::int64_t column = first_column + y;
      const std::int64_t row = first_row + threadIdx.x;
      if (row < rows && column < columns) {
        to[image + column * rows + row] = tile[static_cast<int>(threadIdx.x) * row_of_tile<T> + y];
      }
    }
    __syncthreads();
  }
}

}  // namespace

template <class T>
void transpose(const T* from, T* to, std::int64_t outer, std::int64_t rows, std::int64_t columns, Stream& stream) {
  const std::int64_t tiles = outer * ((rows + tile_side - 1) / tile_side) * ((columns + tile_side - 1) / tile_side);
  constexpr std::int64_t most_blocks = 65535;
  launch({"transpose_tiles", dim3(static_cast<unsigned>(tiles < most_blocks ? tiles : most_blocks)),
          dim3(tile_side, rows_at_once), 0, of(stream)},
         transpose_tiles<T>, from, to, outer, rows, columns);
}

template void transpose(const float*, float*, std::int64_t, std::int64_t, std::int64_t, Stream&);
template void transpose(const Bf16*, Bf16*, std::int64_t, std::int64_t, std::int64_t, Stream&);

}  // namespace lockstep::kernels::cuda
