// Causal attention in one pass over the keys with an online softmax (Dao 2023, FlashAttention-2, algorithm 1), float32
// products outside of the tensor cores. A block has 64 queries of a head of up to 64 numbers, or 32 of up to 128. Any
// length.
// Traffic: q read and out written once (8 bytes an element in float32); k and v once for each tile of queries that sees
// them, from L2 after the first; log_sum_exp 4 bytes a row and head.
#include "kernels/cuda/attention.hpp"
#include "kernels/cuda/attention_tiles.hpp"

namespace lockstep::kernels::cuda {
namespace {

template <int width, int R>
constexpr std::size_t forward_shared_bytes = ((16 * R + others_of_tile) * (width + 4) + 16 * R * row_of_probabilities) *
                                             sizeof(float);

template <class T, int width, int R>
__global__ void __launch_bounds__(attention_threads)
    forward_tiles(const T* qkv, T* out, float* log_sum_exp, AttentionSizes s) {
  DYN_SHARED(float, shared);
  float* const of_queries = shared;
  float* const of_keys = of_queries + 16 * R * (width + 4);  // then of their values
  float* const p = of_keys + others_of_tile * (width + 4);
  const AttentionBlock block = attention_block(s);
  const auto lane = LaneRows::of_thread<R>();
  const std::int64_t first = ((s.length - 1) / (16 * R) - block.tile) * 16 * R;
  const std::int64_t stride = 3 * s.columns();
  const T* q = qkv + block.row * stride + block.column;
  const T* k = q + s.columns();
  const T* v = k + s.columns();
  load_tile<width, 16 * R>(of_queries, q + first * stride, stride, s.length - first, s);
  float sums[R][width / 8] = {};
  float maximum[R];
  float total[R] = {};
  for (int r = 0; r < R; ++r) maximum[r] = -INFINITY;
  const std::int64_t end = first + 16 * R < s.length ? first + 16 * R : s.length;
  for (std::int64_t key = 0; key < end; key += others_of_tile) {
    __syncthreads();
    load_tile<width, others_of_tile>(of_keys, k + key * stride, stride, s.length - key, s);
    __syncthreads();
    float scores[R][4];
    multiply_rows<width, R>(of_queries, of_keys, lane, scores);
    __syncthreads();
    load_tile<width, others_of_tile>(of_keys, v + key * stride, stride, s.length - key, s);
    GPU_UNROLL(R)
    for (int r = 0; r < R; ++r) {
      const std::int64_t query = first + lane.row(r);
      float largest = maximum[r];
      GPU_UNROLL(4)
      for (int m = 0; m < 4; ++m) {
        scores[r][m] = key + lane.place + 8 * m <= query ? scores[r][m] * s.scale : -INFINITY;
        largest = scores[r][m] > largest ? scores[r][m] : largest;
      }
      largest = over_places(largest, [](float a, float b) { return a > b ? a : b; });
      const float shrunk = expf(maximum[r] - largest);
      maximum[r] = largest;
      total[r] *= shrunk;
      GPU_UNROLL(4)
      for (int m = 0; m < 4; ++m) {
        scores[r][m] = expf(scores[r][m] - largest);
        total[r] += scores[r][m];
      }
      for (int c = 0; c < width / 8; ++c) sums[r][c] *= shrunk;
    }
    keep_probabilities<R>(p, lane, scores);
    __syncthreads();
    multiply_probabilities<width, R>(p, of_keys, lane, sums);
  }
  GPU_UNROLL(R)
  for (int r = 0; r < R; ++r) {
    total[r] = over_places(total[r], [](float a, float b) { return a + b; });
    const std::int64_t query = first + lane.row(r);
    if (query >= s.length) continue;
    put_row<width>(out + (block.row + query) * s.columns() + block.column, sums[r], 1 / total[r], lane.place, s);
    if (lane.place == 0) log_sum_exp[block.head * s.length + query] = maximum[r] + logf(total[r]);
  }
}

}  // namespace

template <class T>
void attention_forward(const AttentionShape& shape, const T* qkv, T* out, float* log_sum_exp, Stream& stream) {
  const auto sizes = attention_sizes(shape, qkv, out);
  const auto queue = [&](auto kernel, std::int64_t rows, std::size_t shared) {
    const std::int64_t tiles = (shape.length + rows - 1) / rows;
    const auto blocks = static_cast<unsigned>(tiles * shape.batch * shape.heads);
    launch({"forward_tiles", dim3(blocks), dim3(attention_threads), shared, of(stream)}, kernel, qkv, out, log_sum_exp,
           sizes);
  };
  if (shape.head_size <= 64) return queue(forward_tiles<T, 64, 4>, 64, forward_shared_bytes<64, 4>);
  queue(forward_tiles<T, 128, 2>, 32, forward_shared_bytes<128, 2>);
}

template void attention_forward(const AttentionShape&, const float*, float*, float*, Stream&);
template void attention_forward(const AttentionShape&, const Bf16*, Bf16*, float*, Stream&);

}  // namespace lockstep::kernels::cuda
