// A block goes along the input's channels in tiles of 16, keeps the sums of its outputs in registers and pools them
// there: nothing of the unpooled size reaches memory.
// Traffic of float32: x 4 bytes an element for each 64 output channels (32 where there are no more), and again where
// tiles of 16 x 16 places overlap by two; for each tile all weights (4 bytes); y and its winner written once (5). Of
// bfloat16 2 and 3 in place of 4 and 5. Of channels that are no whole packs, runs of x and of weights begin and end
// within sectors.
#include <type_traits>

#include "kernels/cuda/pooled_conv2d.hpp"
#include "kernels/cuda/pooled_conv2d_tiles.hpp"

namespace lockstep::kernels::cuda {
namespace {

template <class T>
struct ForwardOutputs {
  T* y;
  std::uint8_t* winners;
  int channels;
  int height;
  int width;
};

// weights[tap of a channel][lane] = weight[output channel of the lane][the same tap], zeros beyond the last one.
template <int R, class T>
__device__ void load_weights(float* weights, const T* weight, int first_out, int out_channels, int first_in, int count,
                             int in_channels) {
  const auto warps = static_cast<int>(blockDim.x / 32);
  const auto lane = static_cast<int>(threadIdx.x % 32);
  for (auto out = static_cast<int>(threadIdx.x / 32); out < 32 * R; out += warps) {
    const T* from = weight + (std::int64_t{first_out + out} * in_channels + first_in) * taps;
    for (int k = lane; k < taps * count; k += 32) {
      weights[k * weight_pitch<R> + out] = first_out + out < out_channels ? widened(from[k]) : 0.0F;
    }
  }
}

template <class T, int R>
__global__ void __launch_bounds__(most_threads_of_products, blocks_at_once<R>)
    pooled_forward(const T* x, const T* weight, const T* bias, ForwardOutputs<T> to, ConvTiles t) {
  DYN_SHARED(float, tile);
  float* const weights = tile + t.channels_from(0) * t.plane();
  const ConvTile at = tile_at(blockIdx.x, t);
  const Strip strip = strip_of_thread(to.width);
  const int first_out = static_cast<int>(blockIdx.y) * 32 * R;
  float sums[R][2][2 * cells_of_strip];
  GPU_UNROLL(R)
  for (int r = 0; r < R; ++r) {
    const int out = first_out + 32 * r + strip.lane;
    const float start = out < to.channels ? widened(bias[out]) : 0.0F;
    GPU_UNROLL(8)
    for (int column = 0; column < 2 * cells_of_strip; ++column) sums[r][0][column] = sums[r][1][column] = start;
  }
  for (int first = 0; first < t.channels; first += channels_of_tile) {
    const int count = t.channels_from(first);
    __syncthreads();
    load_image(tile, x, at, first, count, t);
    load_weights<R>(weights, weight, first_out, to.channels, first, count, t.channels);
    __syncthreads();
    multiply_strip<R>(tile + 2 * strip.row * tile_pitch + 2 * strip.column, t.plane(), weights + strip.lane, count,
                      sums);
  }
  const int row = at.row + strip.row;
  if (row >= to.height) return;
  GPU_UNROLL(R)
  for (int r = 0; r < R; ++r) {
    const int out = first_out + 32 * r + strip.lane;
    if (out >= to.channels) continue;
    GPU_UNROLL(4)
    for (int cell = 0; cell < cells_of_strip; ++cell) {
      const int column = at.column + strip.column + cell;
      if (column >= to.width) continue;
      float best = sums[r][0][2 * cell];
      int winner = 0;
      GPU_UNROLL(3)
      for (int k = 1; k < 4; ++k) {
        const float value = sums[r][k / 2][2 * cell + k % 2];
        if (value > best || (value != value && best == best)) {
          best = value;
          winner = k;
        }
      }
      const std::int64_t i = ((at.image * to.height + row) * to.width + column) * to.channels + out;
      to.y[i] = rounded<T>(best < 0 ? 0.0F : best);
      to.winners[i] = static_cast<std::uint8_t>(best > 0 ? winner : nobody);
    }
  }
}

}  // namespace

template <class T>
void pooled_conv2d_forward(const PooledConv2dShape& s, const T* x, const T* weight, const T* bias, T* y,
                           std::uint8_t* winners, Stream& stream) {
  const ConvTiles tiles =
      tiles_of(s.in_channels, s.height, s.width, s.out_height(), s.out_width(), rows_in_packs(s.in_channels, x));
  const ForwardOutputs<T> to{y, winners, static_cast<int>(s.out_channels), static_cast<int>(s.out_height()),
                             static_cast<int>(s.out_width())};
  const auto queue = [&]<int R>(std::integral_constant<int, R> /*channels of a lane*/) {
    launch(launch_of_products<R>("pooled_forward", tiles, s.batch, s.out_width(), s.out_channels, stream),
           pooled_forward<T, R>, x, weight, bias, to, tiles);
  };
  if (s.out_channels <= 32) return queue(std::integral_constant<int, 1>());
  queue(std::integral_constant<int, 2>());
}

template void pooled_conv2d_forward(const PooledConv2dShape&, const float*, const float*, const float*, float*,
                                    std::uint8_t*, Stream&);
template void pooled_conv2d_forward(const PooledConv2dShape&, const Bf16*, const Bf16*, const Bf16*, Bf16*,
                                    std::uint8_t*, Stream&);

}  // namespace lockstep::kernels::cuda
