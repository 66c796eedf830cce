// What attention's kernels are made of: tiles of rows of q, k, v, out or dout in shared memory, and products of tiles
// in registers. A block has 4 warps and 16 * R rows; it goes along the other side of the scores in tiles of 32. Lane
// (group, place) = (lane / 8, lane % 8) of a warp has R rows, one of each four, and of each 32 others the four
// place + 8 m. Tiles are `width` floats across (64 or 128, zeros beyond the head's size), with rows `width` + 4 apart,
// so that the eight lanes that read eight rows, and four lanes that read four, meet in no bank.
#pragma once

#include <cmath>

#include "kernels/cuda/pack.hpp"
#include "kernels/cuda/reduce.hpp"
#include "kernels/transformer.hpp"

namespace lockstep::kernels::cuda {

constexpr int attention_threads = 128;
constexpr int others_of_tile = 32;
constexpr int row_of_probabilities = others_of_tile + 4;  // floats, for the same reason

struct AttentionSizes {
  std::int64_t length;
  std::int64_t heads;
  std::int64_t batch;
  int size;     // of a head
  bool whole;   // rows may be taken in whole packs
  float scale;  // 1 / sqrt(size)
  __device__ std::int64_t columns() const { return heads * size; }
};

template <class T, class... Pointers>
AttentionSizes attention_sizes(const AttentionShape& shape, const T* qkv, const Pointers*... others) {
  const bool whole = rows_in_packs(shape.head_size, qkv, others...);
  return {shape.length, shape.heads,
          shape.batch,  static_cast<int>(shape.head_size),
          whole,        1 / std::sqrt(static_cast<float>(shape.head_size))};
}

// What a block has. The blocks of one tile of all heads follow one another, so that a kernel may begin with the tiles
// that have the most work.
struct AttentionBlock {
  std::int64_t head;    // over batch and heads
  std::int64_t row;     // the sequence's first row
  std::int64_t column;  // the head's first column
  std::int64_t tile;
};
__device__ inline AttentionBlock attention_block(const AttentionSizes& s) {
  const std::int64_t heads = s.batch * s.heads;
  const std::int64_t head = blockIdx.x % heads;
  return {head, head / s.heads * s.length, head % s.heads * s.size, static_cast<std::int64_t>(blockIdx.x) / heads};
}

struct LaneRows {
  int first;  // of R rows, four apart
  int place;  // 0 ... 7
  __device__ int row(int r) const { return first + 4 * r; }
  template <int R>
  __device__ static LaneRows of_thread() {
    const auto thread = static_cast<int>(threadIdx.x);
    return {thread / 32 * 4 * R + thread % 32 / 8, thread % 8};
  }
};

// tile (rows, width) = the rows from `from` on, of which `valid` exist.
template <int width, int rows, class T>
__device__ void load_tile(float* tile, const T* from, std::int64_t stride, std::int64_t valid,
                          const AttentionSizes& s) {
  if (s.whole) {
    constexpr int n = whole_pack<T>;
    GPU_UNROLL(2)
    for (int i = static_cast<int>(threadIdx.x); i < rows * (width / n); i += attention_threads) {
      const int row = i / (width / n);
      const int column = i % (width / n) * n;
      Pack<float, n> values{};
      if (row < valid && column < s.size) {
        const Pack<T, n> in = pack_at<n>(from + row * stride + column, 0);
        for (int k = 0; k < n; ++k) values.value[k] = widened(in.value[k]);
      }
      keep(tile + row * (width + 4) + column, values);
    }
    return;
  }
  for (int i = static_cast<int>(threadIdx.x); i < rows * width; i += attention_threads) {
    const int row = i / width;
    const int column = i % width;
    const bool inside = row < valid && column < s.size;
    tile[row * (width + 4) + column] = inside ? widened(from[row * stride + column]) : 0.0F;
  }
}

// products[r][m] = row r of a times row place + 8 m of b.
template <int width, int R>
__device__ void multiply_rows(const float* a, const float* b, const LaneRows& lane, float (&products)[R][4]) {
  for (int r = 0; r < R; ++r) {
    for (int m = 0; m < 4; ++m) products[r][m] = 0;
  }
  GPU_UNROLL(1)
  for (int k = 0; k < width; k += 4) {
    Pack<float, 4> of_a[R];
    for (int r = 0; r < R; ++r) of_a[r] = pack_at<4>(a + lane.row(r) * (width + 4) + k, 0);
    for (int m = 0; m < 4; ++m) {
      const Pack<float, 4> of_b = pack_at<4>(b + (lane.place + 8 * m) * (width + 4) + k, 0);
      for (int r = 0; r < R; ++r) {
        for (int i = 0; i < 4; ++i) products[r][m] = fmaf(of_a[r].value[i], of_b.value[i], products[r][m]);
      }
    }
  }
}

// The lane's part of p (16 R, 32), where place + 8 m stands at 4 * place + m: one access, and no bank twice.
template <int R>
__device__ void keep_probabilities(float* p, const LaneRows& lane, const float (&values)[R][4]) {
  for (int r = 0; r < R; ++r) {
    put_pack<4>(p + lane.row(r) * row_of_probabilities + 4 * lane.place, 0,
                Pack<float, 4>{{values[r][0], values[r][1], values[r][2], values[r][3]}});
  }
}

// sums[r] += row r of p times the tile; sums[r][4 c + i] is column 4 * place + 32 c + i.
template <int width, int R>
__device__ void multiply_probabilities(const float* p, const float* tile, const LaneRows& lane,
                                       float (&sums)[R][width / 8]) {
  GPU_UNROLL(1)
  for (int place = 0; place < 8; ++place) {
    Pack<float, 4> of_p[R];
    for (int r = 0; r < R; ++r) of_p[r] = pack_at<4>(p + lane.row(r) * row_of_probabilities + 4 * place, 0);
    for (int m = 0; m < 4; ++m) {
      for (int c = 0; c < width / 32; ++c) {
        const Pack<float, 4> values = pack_at<4>(tile + (place + 8 * m) * (width + 4) + 4 * lane.place + 32 * c, 0);
        for (int r = 0; r < R; ++r) {
          for (int i = 0; i < 4; ++i) {
            sums[r][4 * c + i] = fmaf(of_p[r].value[m], values.value[i], sums[r][4 * c + i]);
          }
        }
      }
    }
  }
}

// A row's sums, times factor, to memory.
template <int width, class T>
__device__ void put_row(T* to, const float (&sums)[width / 8], float factor, int place, const AttentionSizes& s) {
  for (int c = 0; c < width / 32; ++c) {
    const int column = 4 * place + 32 * c;
    if (s.whole && column < s.size) {
      Pack<T, 4> out;
      for (int i = 0; i < 4; ++i) out.value[i] = rounded<T>(sums[4 * c + i] * factor);
      put_pack<4>(to + column, 0, out);
    }
    for (int i = 0; i < 4 && !s.whole; ++i) {
      if (column + i < s.size) to[column + i] = rounded<T>(sums[4 * c + i] * factor);
    }
  }
}

// Over the eight lanes that share a row.
template <class Combine>
__device__ float over_places(float value, Combine combine) {
  for (int distance = 4; distance > 0; distance /= 2) {
    value = combine(value, __shfl_xor_sync(all_lanes, value, distance));
  }
  return value;
}

}  // namespace lockstep::kernels::cuda
