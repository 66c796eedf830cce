// dweight[o][i][tap] = the sum over all windows of dy[window][o] x[the place that has won, moved by the tap][i]: only
// the one place of a window that has won counts, a quarter of what a convolution would multiply. Two launches: blocks
// of 32 output and 16 input channels sum their share of the tiles, then the shares are summed, in an order that depends
// on the sizes alone. Traffic of float32: x 4 bytes an element for each 32 output channels, again where tiles of 16 x
// 16 places overlap by two; dy and its winner (5) for each 16 input channels; a share is 4 bytes for each tap of each
// pair of channels and for each bias, and there are as many as that, written and read, is not more than x, dy and the
// winners once, at least one a warp that has windows of its own, at most 512. Of bfloat16 2 and 3 in place of the first
// 4 and the 5. Then a sector of 32 bytes for each tap of each pair: neighbouring lanes have it for neighbouring output
// channels.
#include <algorithm>

#include "kernels/cuda/pooled_conv2d.hpp"
#include "kernels/cuda/pooled_conv2d_tiles.hpp"

namespace lockstep::kernels::cuda {
namespace {

constexpr int out_channels_of_block = 32;
constexpr int channels_of_warp = 2;
constexpr int warps_of_block = channels_of_tile / channels_of_warp;
constexpr int windows_of_tile = most_cells * most_cells;

// Warps that share the windows of a tile, where there are fewer pairs of input channels than warps.
__host__ __device__ int warps_of_pair(int in_channels) {
  int warps = warps_of_block;
  while (warps > 1 && warps_of_block / warps * channels_of_warp < in_channels) warps /= 2;
  return warps;
}

template <class T>
struct WeightInputs {
  const T* x;
  const T* dy;
  const std::uint8_t* winners;
  int out_channels;
  int out_height;
  int out_width;
};

// The gradients of a tile's windows and where they go: in rows of 8 windows, a lane an output channel.
template <class T>
__device__ void load_gradients(float* gradients, int* places, const WeightInputs<T>& from, const ConvTile& at,
                               const ConvTiles& t) {
  const auto lane = static_cast<int>(threadIdx.x % 32);
  const int out = static_cast<int>(blockIdx.z) * out_channels_of_block + lane;
  for (auto window = static_cast<int>(threadIdx.x / 32); window < t.rows * most_cells; window += warps_of_block) {
    const int row = at.row + window / most_cells;
    const int column = at.column + window % most_cells;
    float gradient = 0;
    int winner = nobody;
    if (row < from.out_height && column < from.out_width && out < from.out_channels) {
      const std::int64_t i = ((at.image * from.out_height + row) * from.out_width + column) * from.out_channels + out;
      gradient = widened(from.dy[i]);
      winner = from.winners[i];
    }
    gradients[window * 32 + lane] = winner == nobody ? 0.0F : gradient;
    places[window * 32 + lane] = winner == nobody ? 0 : winner / 2 * tile_pitch + winner % 2;
  }
}

// Block (b, i, o) has tiles_of_block tiles from b * tiles_of_block on, 16 input and 32 output channels. A lane is an
// output channel, a warp two input channels. shares (parts, taps * in_channels + 1, out_channels): the last row is the
// bias.
template <class T>
__global__ void __launch_bounds__(32 * warps_of_block)
    pooled_weights(WeightInputs<T> from, float* shares, std::int64_t tiles, std::int64_t tiles_of_block, ConvTiles t) {
  DYN_SHARED(float, tile);
  const int plane = t.plane();
  float* const gradients = tile + t.channels_from(0) * plane;
  int* const places = reinterpret_cast<int*>(gradients + windows_of_tile * 32);
  const auto lane = static_cast<int>(threadIdx.x % 32);
  const auto warp = static_cast<int>(threadIdx.x / 32);
  const int sharers = warps_of_pair(t.channels);
  const int first = static_cast<int>(blockIdx.y) * channels_of_tile;
  const int count = t.channels_from(first);
  const int channel = warp / sharers * channels_of_warp;
  // Where a warp has no second channel, or none, it computes what it does not write.
  const float* const planes[channels_of_warp] = {tile + std::min(channel, count - 1) * plane,
                                                 tile + std::min(channel + 1, count - 1) * plane};
  float sums[channels_of_warp][taps] = {};
  float of_bias = 0;
  const std::int64_t begin = blockIdx.x * tiles_of_block;
  const std::int64_t end = std::min(begin + tiles_of_block, tiles);
  for (std::int64_t index = begin; index < end; ++index) {
    const ConvTile at = tile_at(index, t);
    __syncthreads();
    load_image(tile, from.x, at, first, count, t);
    load_gradients(gradients, places, from, at, t);
    __syncthreads();
    GPU_UNROLL(1)
    for (int window = warp % sharers; window < t.rows * most_cells; window += sharers) {
      const float gradient = gradients[window * 32 + lane];
      const int place = places[window * 32 + lane] + 2 * (window / most_cells) * tile_pitch + 2 * (window % most_cells);
      of_bias += gradient;
      GPU_UNROLL(2)
      for (int c = 0; c < channels_of_warp; ++c) {
        GPU_UNROLL(9)
        for (int k = 0; k < taps; ++k) {
          sums[c][k] = fmaf(planes[c][place + k / 3 * tile_pitch + k % 3], gradient, sums[c][k]);
        }
      }
    }
  }
  const int out = static_cast<int>(blockIdx.z) * out_channels_of_block + lane;
  if (out >= from.out_channels) return;
  const std::int64_t rows = std::int64_t{taps} * t.channels + 1;
  const int part = static_cast<int>(blockIdx.x) * sharers + warp % sharers;
  float* const share = shares + part * rows * from.out_channels + out;
  GPU_UNROLL(2)
  for (int c = 0; c < channels_of_warp; ++c) {
    if (channel + c >= count) continue;
    GPU_UNROLL(9)
    for (int k = 0; k < taps; ++k) {
      share[(std::int64_t{first + channel + c} * taps + k) * from.out_channels] = sums[c][k];
    }
  }
  if (first + channel == 0) share[(rows - 1) * from.out_channels] = of_bias;
}

// Block (k, o): row k of the shares, 32 output channels. Its 8 warps take every eighth share.
template <class T>
__global__ void sum_shares(const float* shares, T* dweight, T* dbias, int parts, int out_channels) {
  GPU_SHARED(float, of_warps, 32 * warps_of_block);
  const auto lane = static_cast<int>(threadIdx.x % 32);
  const auto warp = static_cast<int>(threadIdx.x / 32);
  const int out = static_cast<int>(blockIdx.y) * out_channels_of_block + lane;
  const auto rows = static_cast<int>(gridDim.x);
  const auto row = static_cast<int>(blockIdx.x);
  float sum = 0;
  if (out < out_channels) {
    for (int part = warp; part < parts; part += warps_of_block) {
      sum += shares[(std::int64_t{part} * rows + row) * out_channels + out];
    }
  }
  of_warps[warp * 32 + lane] = sum;
  __syncthreads();
  if (warp != 0 || out >= out_channels) return;
  for (int other = 1; other < warps_of_block; ++other) sum += of_warps[other * 32 + lane];
  if (row + 1 < rows) {
    dweight[std::int64_t{out} * (rows - 1) + row] = rounded<T>(sum);
  } else {
    dbias[out] = rounded<T>(sum);
  }
}

ConvTiles tiles_of_windows(const PooledConv2dShape& s, bool whole) {
  return tiles_of(s.in_channels, s.height, s.width, s.out_height(), s.out_width(), whole);
}

std::int64_t rows_of_share(const PooledConv2dShape& s) { return taps * s.in_channels + 1; }

std::int64_t tiles_of_block(const PooledConv2dShape& s, std::int64_t bytes) {
  constexpr std::int64_t most_parts = 512;
  const std::int64_t x = s.batch * s.in_channels * s.height * s.width;
  const std::int64_t y = s.batch * s.out_channels * s.out_height() * s.out_width();
  const std::int64_t operands = bytes * x + (bytes + 1) * y;
  const std::int64_t parts = std::min(most_parts, operands / (8 * rows_of_share(s) * s.out_channels));
  const std::int64_t blocks = std::max<std::int64_t>(1, parts / warps_of_pair(static_cast<int>(s.in_channels)));
  const std::int64_t tiles = s.batch * tiles_of_windows(s, false).of_image();
  return (tiles + blocks - 1) / blocks;
}

}  // namespace

template <class T>
PooledConv2dWeights<T>::PooledConv2dWeights(CudaDevice& device, const PooledConv2dShape& s)
    : shape_(s),
      tiles_(s.batch * tiles_of_windows(s, false).of_image()),
      tiles_of_block_(tiles_of_block(s, sizeof(T))),
      blocks_((tiles_ + tiles_of_block_ - 1) / tiles_of_block_),
      parts_(blocks_ * warps_of_pair(static_cast<int>(s.in_channels))),
      shares_(device.allocate(static_cast<std::size_t>(parts_ * rows_of_share(s) * s.out_channels) * sizeof(float))) {}

template <class T>
void PooledConv2dWeights<T>::run(const T* x, const T* dy, const std::uint8_t* winners, T* dweight, T* dbias,
                                 Stream& stream) {
  const ConvTiles tiles = tiles_of_windows(shape_, rows_in_packs(shape_.in_channels, x));
  const WeightInputs<T> from{x,
                             dy,
                             winners,
                             static_cast<int>(shape_.out_channels),
                             static_cast<int>(shape_.out_height()),
                             static_cast<int>(shape_.out_width())};
  auto* const shares = static_cast<float*>(shares_.data());
  const auto in_groups = static_cast<unsigned>((shape_.in_channels + channels_of_tile - 1) / channels_of_tile);
  const auto out_groups =
      static_cast<unsigned>((shape_.out_channels + out_channels_of_block - 1) / out_channels_of_block);
  const dim3 threads(32 * warps_of_block);
  const std::size_t shared = (tiles.shared_floats() + std::size_t{2} * windows_of_tile * 32) * sizeof(float);
  launch({"pooled_weights", dim3(static_cast<unsigned>(blocks_), in_groups, out_groups), threads, shared, of(stream)},
         pooled_weights<T>, from, shares, tiles_, tiles_of_block_, tiles);
  launch({"sum_shares", dim3(static_cast<unsigned>(rows_of_share(shape_)), out_groups), threads, 0, of(stream)},
         sum_shares<T>, shares, dweight, dbias, static_cast<int>(parts_), from.out_channels);
}

template class PooledConv2dWeights<float>;
template class PooledConv2dWeights<Bf16>;

}  // namespace lockstep::kernels::cuda
