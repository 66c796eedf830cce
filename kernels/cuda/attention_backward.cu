// The gradient of causal attention (Dao 2023, FlashAttention-2, algorithm 2), with the softmax computed again from
// log_sum_exp. dq is computed by one kernel, a block for a tile of queries, dk and dv by another, a block for a tile of
// keys: each does the scores again, so that nobody adds to what another writes. With p the softmax,
// along = sum(dout * out) of a row: dv = p^T dout; dscores = p * (dout v^T - along); dq = scale * dscores k;
// dk = scale * dscores^T q. Tiles are 64 rows of a head of up to 64 numbers, or 32 of up to 128. Any length.
// Traffic: along: out and dout (8 bytes an element in float32), and a sector for the sum of a row and head; dq: q,
// dout, dq once (12), log_sum_exp and along of its rows, k and v once for each tile of queries that sees them; dk and
// dv: k, v, dk, dv once (16), q and dout once for each tile of keys that they see, and to each of the block's four
// warps their log_sum_exp and along (8 a row). What is read again comes from L2.
#include "kernels/cuda/attention.hpp"
#include "kernels/cuda/attention_tiles.hpp"

namespace lockstep::kernels::cuda {
namespace {

template <int width, int R>
constexpr std::size_t backward_shared_bytes = (2 * (16 * R + others_of_tile) * (width + 4) +
                                               16 * R * row_of_probabilities) *
                                              sizeof(float);

// A warp a row and head, in the order of `along`.
template <class T>
__global__ void sum_along(const T* out, const T* dout, float* along, std::int64_t rows_and_heads, AttentionSizes s) {
  const std::int64_t warp = static_cast<std::int64_t>(blockIdx.x) * (attention_threads / 32) + threadIdx.x / 32;
  if (warp >= rows_and_heads) return;  // the whole warp
  const std::int64_t head = warp / s.length;
  const std::int64_t row = head / s.heads * s.length + warp % s.length;
  const std::int64_t at = row * s.columns() + head % s.heads * s.size;
  float sum = 0;
  for (auto i = static_cast<int>(threadIdx.x % 32); i < s.size; i += 32) {
    sum = fmaf(widened(out[at + i]), widened(dout[at + i]), sum);
  }
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) along[warp] = sum;
}

struct RowStatistics {
  const float* log_sum_exp;
  const float* along;
};

template <class T, int width, int R>
__global__ void __launch_bounds__(attention_threads)
    query_gradients(const T* qkv, const T* dout, RowStatistics of, T* dqkv, AttentionSizes s) {
  DYN_SHARED(float, shared);
  float* const of_queries = shared;
  float* const of_douts = of_queries + 16 * R * (width + 4);
  float* const of_keys = of_douts + 16 * R * (width + 4);
  float* const of_values = of_keys + others_of_tile * (width + 4);
  float* const p = of_values + others_of_tile * (width + 4);
  const AttentionBlock block = attention_block(s);
  const auto lane = LaneRows::of_thread<R>();
  const std::int64_t first = ((s.length - 1) / (16 * R) - block.tile) * 16 * R;
  const std::int64_t stride = 3 * s.columns();
  const T* q = qkv + block.row * stride + block.column;
  const T* k = q + s.columns();
  const T* v = k + s.columns();
  load_tile<width, 16 * R>(of_queries, q + first * stride, stride, s.length - first, s);
  load_tile<width, 16 * R>(of_douts, dout + (block.row + first) * s.columns() + block.column, s.columns(),
                           s.length - first, s);
  float log_sum_exp[R] = {};
  float along[R] = {};
  GPU_UNROLL(R)
  for (int r = 0; r < R; ++r) {
    const std::int64_t query = first + lane.row(r);
    if (query >= s.length) continue;
    log_sum_exp[r] = of.log_sum_exp[block.head * s.length + query];
    along[r] = of.along[block.head * s.length + query];
  }
  float sums[R][width / 8] = {};
  const std::int64_t end = first + 16 * R < s.length ? first + 16 * R : s.length;
  for (std::int64_t key = 0; key < end; key += others_of_tile) {
    __syncthreads();
    load_tile<width, others_of_tile>(of_keys, k + key * stride, stride, s.length - key, s);
    load_tile<width, others_of_tile>(of_values, v + key * stride, stride, s.length - key, s);
    __syncthreads();
    float scores[R][4];
    float products[R][4];
    multiply_rows<width, R>(of_queries, of_keys, lane, scores);
    multiply_rows<width, R>(of_douts, of_values, lane, products);
    GPU_UNROLL(R)
    for (int r = 0; r < R; ++r) {
      GPU_UNROLL(4)
      for (int m = 0; m < 4; ++m) {
        const bool seen = key + lane.place + 8 * m <= first + lane.row(r);
        scores[r][m] = seen ? expf(scores[r][m] * s.scale - log_sum_exp[r]) * (products[r][m] - along[r]) : 0.0F;
      }
    }
    keep_probabilities<R>(p, lane, scores);
    __syncwarp();  // the rows of p are a warp's own
    multiply_probabilities<width, R>(p, of_keys, lane, sums);
  }
  GPU_UNROLL(R)
  for (int r = 0; r < R; ++r) {
    const std::int64_t query = first + lane.row(r);
    if (query >= s.length) continue;
    put_row<width>(dqkv + (block.row + query) * stride + block.column, sums[r], s.scale, lane.place, s);
  }
}

// Blocks of a multiprocessor that key_gradients leaves registers for. ptxas' own choice (0) spills those of bfloat16
// for compute capability 10.0, and three blocks those of float32 for 12.0.
template <class T>
constexpr int key_blocks = sizeof(T) == 2 ? 3 : 0;

template <class T, int width, int R>
__global__ void __launch_bounds__(attention_threads, key_blocks<T>)
    key_gradients(const T* qkv, const T* dout, RowStatistics of, T* dqkv, AttentionSizes s) {
  DYN_SHARED(float, shared);
  float* const of_keys = shared;
  float* const of_values = of_keys + 16 * R * (width + 4);
  float* const of_queries = of_values + 16 * R * (width + 4);
  float* const of_douts = of_queries + others_of_tile * (width + 4);
  float* const p = of_douts + others_of_tile * (width + 4);  // rows are keys here
  const AttentionBlock block = attention_block(s);
  const auto lane = LaneRows::of_thread<R>();
  const std::int64_t first = block.tile * 16 * R;
  const std::int64_t stride = 3 * s.columns();
  const T* q = qkv + block.row * stride + block.column;
  const T* k = q + s.columns();
  const T* v = k + s.columns();
  const T* d = dout + block.row * s.columns() + block.column;
  load_tile<width, 16 * R>(of_keys, k + first * stride, stride, s.length - first, s);
  load_tile<width, 16 * R>(of_values, v + first * stride, stride, s.length - first, s);
  float of_dk[R][width / 8] = {};
  float of_dv[R][width / 8] = {};
  for (std::int64_t query = first; query < s.length; query += others_of_tile) {
    __syncthreads();
    load_tile<width, others_of_tile>(of_queries, q + query * stride, stride, s.length - query, s);
    load_tile<width, others_of_tile>(of_douts, d + query * s.columns(), s.columns(), s.length - query, s);
    __syncthreads();
    float scores[R][4];
    float products[R][4];
    multiply_rows<width, R>(of_keys, of_queries, lane, scores);
    multiply_rows<width, R>(of_values, of_douts, lane, products);
    GPU_UNROLL(4)
    for (int m = 0; m < 4; ++m) {
      const std::int64_t at = query + lane.place + 8 * m;
      const bool exists = at < s.length;
      const float log_sum_exp = exists ? of.log_sum_exp[block.head * s.length + at] : 0.0F;
      const float along = exists ? of.along[block.head * s.length + at] : 0.0F;
      GPU_UNROLL(R)
      for (int r = 0; r < R; ++r) {
        const bool seen = exists && first + lane.row(r) <= at;
        scores[r][m] = seen ? expf(scores[r][m] * s.scale - log_sum_exp) : 0.0F;
        products[r][m] = scores[r][m] * (products[r][m] - along);
      }
    }
    keep_probabilities<R>(p, lane, scores);
    __syncwarp();  // the rows of p are a warp's own
    multiply_probabilities<width, R>(p, of_douts, lane, of_dv);
    __syncwarp();
    keep_probabilities<R>(p, lane, products);
    __syncwarp();
    multiply_probabilities<width, R>(p, of_queries, lane, of_dk);
  }
  GPU_UNROLL(R)
  for (int r = 0; r < R; ++r) {
    const std::int64_t key = first + lane.row(r);
    if (key >= s.length) continue;
    T* to = dqkv + (block.row + key) * stride + block.column + s.columns();
    put_row<width>(to, of_dk[r], s.scale, lane.place, s);
    put_row<width>(to + s.columns(), of_dv[r], 1, lane.place, s);
  }
}

}  // namespace

template <class T>
void attention_backward(const AttentionShape& shape, const T* qkv, const T* out, const float* log_sum_exp,
                        const T* dout, float* along, T* dqkv, Stream& stream) {
  const auto sizes = attention_sizes(shape, qkv, out, dout, dqkv);
  const std::int64_t rows_and_heads = shape.rows() * shape.heads;
  constexpr int warps = attention_threads / 32;
  launch({"sum_along", dim3(static_cast<unsigned>((rows_and_heads + warps - 1) / warps)), dim3(attention_threads), 0,
          of(stream)},
         sum_along<T>, out, dout, along, rows_and_heads, sizes);
  const auto queue = [&](const char* name, auto kernel, std::int64_t rows, std::size_t shared) {
    const std::int64_t tiles = (shape.length + rows - 1) / rows;
    const auto blocks = static_cast<unsigned>(tiles * shape.batch * shape.heads);
    launch({name, dim3(blocks), dim3(attention_threads), shared, of(stream)}, kernel, qkv, dout,
           RowStatistics{log_sum_exp, along}, dqkv, sizes);
  };
  if (shape.head_size <= 64) {
    queue("query_gradients", query_gradients<T, 64, 4>, 64, backward_shared_bytes<64, 4>);
    queue("key_gradients", key_gradients<T, 64, 4>, 64, backward_shared_bytes<64, 4>);
  } else {
    queue("query_gradients", query_gradients<T, 128, 2>, 32, backward_shared_bytes<128, 2>);
    queue("key_gradients", key_gradients<T, 128, 2>, 32, backward_shared_bytes<128, 2>);
  }
}

template void attention_backward(const AttentionShape&, const float*, const float*, const float*, const float*, float*,
                                 float*, Stream&);
template void attention_backward(const AttentionShape&, const Bf16*, const Bf16*, const float*, const Bf16*, float*,
                                 Bf16*, Stream&);

}  // namespace lockstep::kernels::cuda
