// What the kernels of a pooled convolution are made of. An image is cut into cells of 2 x 2 places, one for each output
// of the pooling, and a block has a tile of up to 8 x 8 cells of one image. With a place more on each side, which the
// convolution sees, these lie in shared memory channel by channel: tile[channel][row][column], float32, zeros outside
// of the image. A lane is a channel on the other side; so what a warp reads of the tile is one word for all lanes, and
// what it reads of weights or writes of images are neighbouring channels.
#pragma once

#include "kernels/cuda/device.hpp"
#include "kernels/cuda/pack.hpp"

namespace lockstep::kernels::cuda {

constexpr int most_cells = 8;                   // of a tile, along each side
constexpr int tile_pitch = 2 * most_cells + 2;  // from a row to the next
constexpr int channels_of_tile = 16;            // at a time
constexpr int taps = 9;                         // of a 3 x 3 kernel

struct ConvTiles {
  int channels;  // of the images in the tiles
  int height;    // of these images
  int width;
  int rows;  // of cells, of a tile
  int down;  // tiles, of an image
  int across;
  bool whole;  // images may be taken in whole packs
  // Floats of a channel in shared memory. 2 more than a multiple of 4: lanes that store eight places of four packs of 4
  // channels, or 16 of two packs of 8, meet in no bank.
  __host__ __device__ int plane() const { return (2 * rows + 2) * tile_pitch + 2; }
  // Of those that are in shared memory at a time, from `first` on.
  __host__ __device__ int channels_from(int first) const {
    return channels - first < channels_of_tile ? channels - first : channels_of_tile;
  }
  __host__ __device__ std::int64_t of_image() const { return std::int64_t{down} * across; }
  std::size_t shared_floats() const { return static_cast<std::size_t>(channels_from(0) * plane()); }
};

// Tiles of equal height over cells_down x cells_across.
inline ConvTiles tiles_of(std::int64_t channels, std::int64_t height, std::int64_t width, std::int64_t cells_down,
                          std::int64_t cells_across, bool whole) {
  const std::int64_t down = (cells_down + most_cells - 1) / most_cells;
  const std::int64_t across = (cells_across + most_cells - 1) / most_cells;
  return {static_cast<int>(channels),
          static_cast<int>(height),
          static_cast<int>(width),
          static_cast<int>((cells_down + down - 1) / down),
          static_cast<int>(down),
          static_cast<int>(across),
          whole};
}

struct ConvTile {
  std::int64_t image;
  int row;  // its first cell
  int column;
};
__device__ inline ConvTile tile_at(std::int64_t index, const ConvTiles& t) {
  const auto in_image = static_cast<int>(index % t.of_image());
  return {index / t.of_image(), in_image / t.across * t.rows, in_image % t.across * most_cells};
}

// `count` channels of x, from `first` on; n at once.
template <int n, class T>
__device__ void load_image_packs(float* tile, const T* x, const ConvTile& at, int first, int count,
                                 const ConvTiles& t) {
  const T* image = x + at.image * t.height * t.width * t.channels + first;
  const int groups = count / n;
  const int plane = t.plane();
  for (auto i = static_cast<int>(threadIdx.x); i < (2 * t.rows + 2) * tile_pitch * groups;
       i += static_cast<int>(blockDim.x)) {
    const int place = i / groups;
    const int channel = i % groups * n;
    const int row = 2 * at.row - 1 + place / tile_pitch;
    const int column = 2 * at.column - 1 + place % tile_pitch;
    Pack<T, n> values{};
    if (row >= 0 && row < t.height && column >= 0 && column < t.width) {
      values = pack_at<n>(image + (std::int64_t{row} * t.width + column) * t.channels + channel, 0);
    }
    for (int k = 0; k < n; ++k) tile[(channel + k) * plane + place] = widened(values.value[k]);
  }
}
template <class T>
__device__ void load_image(float* tile, const T* x, const ConvTile& at, int first, int count, const ConvTiles& t) {
  if (t.whole) {
    load_image_packs<whole_pack<T>>(tile, x, at, first, count, t);
  } else {
    load_image_packs<1>(tile, x, at, first, count, t);
  }
}

// --- products: a warp has a strip of 4 cells of the tile, a lane R channels, 32 apart ---

constexpr int cells_of_strip = 4;
constexpr int most_threads_of_products = 32 * most_cells * most_cells / cells_of_strip;
// Of a multiprocessor, whose registers are to be enough for them: 64 a thread, or 128.
template <int R>
constexpr int blocks_at_once = R == 1 ? 2 : 1;

// From a tap's weights to the next one's in shared memory. Lanes that store nine taps of neighbouring channels, or
// neighbouring taps of one, meet in no bank.
template <int R>
constexpr int weight_pitch = 32 * R + 7;

// What a thread of such a block has.
struct Strip {
  int lane;
  int row;  // its first cell, within the tile
  int column;
};
// Narrow images have one strip in a row.
__host__ __device__ inline int strips_across(int cells_across) { return cells_across > cells_of_strip ? 2 : 1; }
__device__ inline Strip strip_of_thread(int cells_across) {
  const auto thread = static_cast<int>(threadIdx.x);
  const int strips = strips_across(cells_across);
  return {thread % 32, thread / 32 / strips, thread / 32 % strips * cells_of_strip};
}

// sums[r][row][column] += the products of a strip's places with the weights of channel 32 r. `tile` begins at the
// strip, `weights` at the lane.
template <int R>
__device__ void multiply_strip(const float* tile, int plane, const float* weights, int channels,
                               float (&sums)[R][2][2 * cells_of_strip]) {
  constexpr int columns = 2 * cells_of_strip;
  GPU_UNROLL(1)
  for (int channel = 0; channel < channels; ++channel) {
    float weight[R][taps];
    GPU_UNROLL(R)
    for (int r = 0; r < R; ++r) {
      GPU_UNROLL(9)
      for (int k = 0; k < taps; ++k) weight[r][k] = weights[(channel * taps + k) * weight_pitch<R> + 32 * r];
    }
    GPU_UNROLL(4)
    for (int row = 0; row < 4; ++row) {
      float places[columns + 2];
      GPU_UNROLL(5)
      for (int pair = 0; pair < columns / 2 + 1; ++pair) {
        const Pack<float, 2> two = pack_at<2>(tile + channel * plane + row * tile_pitch, pair);
        places[2 * pair] = two.value[0];
        places[2 * pair + 1] = two.value[1];
      }
      GPU_UNROLL(2)
      for (int out = 0; out < 2; ++out) {
        if (row - out < 0 || row - out > 2) continue;
        GPU_UNROLL(R)
        for (int r = 0; r < R; ++r) {
          GPU_UNROLL(3)
          for (int k = 0; k < 3; ++k) {
            GPU_UNROLL(8)
            for (int column = 0; column < columns; ++column) {
              sums[r][out][column] = fmaf(places[column + k], weight[r][3 * (row - out) + k], sums[r][out][column]);
            }
          }
        }
      }
    }
  }
}

// A block for each tile and 32 R channels of `lanes`. It has at most 61,760 bytes of shared memory, which every device
// grants.
template <int R>
Launch launch_of_products(const char* kernel, const ConvTiles& tiles, std::int64_t images, std::int64_t cells_across,
                          std::int64_t lanes, Stream& stream) {
  const auto blocks = static_cast<unsigned>(images * tiles.of_image());
  const auto groups = static_cast<unsigned>((lanes + 32 * R - 1) / (32 * R));
  const int strips = tiles.rows * strips_across(static_cast<int>(cells_across));
  const auto weights = static_cast<std::size_t>(tiles.channels_from(0) * taps * weight_pitch<R>);
  return {kernel, dim3(blocks, groups), dim3(static_cast<unsigned>(32 * strips)),
          (tiles.shared_floats() + weights) * sizeof(float), of(stream)};
}

}  // namespace lockstep::kernels::cuda
