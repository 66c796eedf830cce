// The convolution of dy, spread over the places that have won, with the kernel turned round. A block goes along the
// output's channels in tiles of 16, which it spreads on the way into shared memory.
// Traffic of float32: dy and its winner (5 bytes) for each 64 input channels (32 where there are no more), and again
// where tiles of 8 x 8 windows, with one more on each side, overlap; for each tile all weights (4); dx written once
// (4). Of bfloat16 3 and 2 in place of 5 and 4.
#include <type_traits>

#include "kernels/cuda/pooled_conv2d.hpp"
#include "kernels/cuda/pooled_conv2d_tiles.hpp"

namespace lockstep::kernels::cuda {
namespace {

template <class T>
struct Gradients {  // of the pooled output
  const T* dy;
  const std::uint8_t* winners;
  int height;
  int width;
};

// tile[channel][row][column] = dy where the place has won its window, else 0; n channels at once.
template <int n, class T>
__device__ void spread_packs(float* tile, const Gradients<T>& from, const ConvTile& at, int first, int count,
                             const ConvTiles& t) {
  constexpr int across = most_cells + 2;  // windows that meet the tile
  const int groups = count / n;
  const int plane = t.plane();
  for (auto i = static_cast<int>(threadIdx.x); i < (t.rows + 2) * across * groups; i += static_cast<int>(blockDim.x)) {
    const int window = i / groups;
    const int channel = i % groups * n;
    const int row = at.row - 1 + window / across;
    const int column = at.column - 1 + window % across;
    Pack<T, n> dy{};
    Pack<std::uint8_t, n> winners{};
    if (row >= 0 && row < from.height && column >= 0 && column < from.width) {
      const std::int64_t place = ((at.image * from.height + row) * from.width + column) * t.channels + first + channel;
      dy = pack_at<n>(from.dy + place, 0);
      winners = pack_at<n>(from.winners + place, 0);
    }
    for (int k = 0; k < 4; ++k) {
      const int tile_row = 2 * (window / across) - 1 + k / 2;
      const int tile_column = 2 * (window % across) - 1 + k % 2;
      if (tile_row < 0 || tile_row > 2 * t.rows + 1 || tile_column < 0 || tile_column >= tile_pitch) continue;
      float* const to = tile + channel * plane + tile_row * tile_pitch + tile_column;
      for (int c = 0; c < n; ++c) to[c * plane] = winners.value[c] == k ? widened(dy.value[c]) : 0.0F;
    }
  }
}

// weights[tap of a channel, turned round][lane] = weight[the channel][input channel of the lane][tap].
template <int R, class T>
__device__ void load_turned_weights(float* weights, const T* weight, int first_in, int in_channels, int first_out,
                                    int count) {
  const auto warps = static_cast<int>(blockDim.x / 32);
  const auto lane = static_cast<int>(threadIdx.x % 32);
  for (auto out = static_cast<int>(threadIdx.x / 32); out < count; out += warps) {
    const T* from = weight + (std::int64_t{first_out + out} * in_channels + first_in) * taps;
    for (int i = lane; i < 32 * R * taps; i += 32) {
      const int in = i / taps;
      const int k = taps - 1 - i % taps;
      weights[(out * taps + k) * weight_pitch<R> + in] = first_in + in < in_channels ? widened(from[i]) : 0.0F;
    }
  }
}

template <class T, int R>
__global__ void __launch_bounds__(most_threads_of_products, blocks_at_once<R>)
    pooled_data(Gradients<T> from, const T* weight, T* dx, int in_channels, ConvTiles t) {
  DYN_SHARED(float, tile);
  float* const weights = tile + t.channels_from(0) * t.plane();
  const ConvTile at = tile_at(blockIdx.x, t);
  const Strip strip = strip_of_thread((t.width + 1) / 2);
  const int first_in = static_cast<int>(blockIdx.y) * 32 * R;
  float sums[R][2][2 * cells_of_strip] = {};
  for (int first = 0; first < t.channels; first += channels_of_tile) {
    const int count = t.channels_from(first);
    __syncthreads();
    if (t.whole) {
      spread_packs<whole_pack<T>>(tile, from, at, first, count, t);
    } else {
      spread_packs<1>(tile, from, at, first, count, t);
    }
    load_turned_weights<R>(weights, weight, first_in, in_channels, first, count);
    __syncthreads();
    multiply_strip<R>(tile + 2 * strip.row * tile_pitch + 2 * strip.column, t.plane(), weights + strip.lane, count,
                      sums);
  }
  GPU_UNROLL(R)
  for (int r = 0; r < R; ++r) {
    const int in = first_in + 32 * r + strip.lane;
    if (in >= in_channels) continue;
    GPU_UNROLL(2)
    for (int out = 0; out < 2; ++out) {
      const int row = 2 * (at.row + strip.row) + out;
      if (row >= t.height) continue;
      GPU_UNROLL(8)
      for (int k = 0; k < 2 * cells_of_strip; ++k) {
        const int column = 2 * (at.column + strip.column) + k;
        if (column >= t.width) continue;
        dx[((at.image * t.height + row) * t.width + column) * in_channels + in] = rounded<T>(sums[r][out][k]);
      }
    }
  }
}

}  // namespace

template <class T>
void pooled_conv2d_data(const PooledConv2dShape& s, const T* dy, const std::uint8_t* winners, const T* weight, T* dx,
                        Stream& stream) {
  const std::int64_t cells_across = (s.width + 1) / 2;
  const bool whole = rows_in_packs(s.out_channels, dy, winners);
  const ConvTiles tiles = tiles_of(s.out_channels, s.height, s.width, (s.height + 1) / 2, cells_across, whole);
  const Gradients<T> from{dy, winners, static_cast<int>(s.out_height()), static_cast<int>(s.out_width())};
  const auto queue = [&]<int R>(std::integral_constant<int, R> /*channels of a lane*/) {
    launch(launch_of_products<R>("pooled_data", tiles, s.batch, cells_across, s.in_channels, stream), pooled_data<T, R>,
           from, weight, dx, static_cast<int>(s.in_channels), tiles);
  };
  if (s.in_channels <= 32) return queue(std::integral_constant<int, 1>());
  queue(std::integral_constant<int, 2>());
}

template void pooled_conv2d_data(const PooledConv2dShape&, const float*, const std::uint8_t*, const float*, float*,
                                 Stream&);
template void pooled_conv2d_data(const PooledConv2dShape&, const Bf16*, const std::uint8_t*, const Bf16*, Bf16*,
                                 Stream&);

}  // namespace lockstep::kernels::cuda
