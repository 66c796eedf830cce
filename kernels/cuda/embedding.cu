// Token and position embeddings, and their gradients, for any sizes. The rows of each token are summed in the order of
// the rows: they are sorted by (id, row) first, each row's place being the number of rows before it, found by
// comparing with all of them. That is rows^2 comparisons: nothing beside a model's products up to some 100,000 rows.
// Traffic: forward a token's row, a position's and y (12 bytes an element in float32; positions come from the caches
// after the first batch), and a sector for the id to each warp. Backward: dpositions reads dy (4 an element) and writes
// dpositions; dtokens reads dy again, reads and writes the rows that ids name (8 an element of those), and each of a
// block's 8 warps asks for the ids that begin and end its rows: up to 832 for every 32 packs of a row. Sorting reads
// all ids once for every 256 rows and writes 8 bytes a row, to two sectors where neighbours sort apart.
// Rows that are no whole packs go one element at a time: a warp's run of 32 begins anywhere within sectors and touches
// one more than it fills, which is a byte more for each access to an element, but for the gradients of the positions,
// which are taken as if there were no rows.
#include "kernels/cuda/elementwise.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/make_for.hpp"
#include "kernels/cuda/operations.hpp"

namespace lockstep::kernels::cuda {
namespace {

constexpr int rows_of_sort = 256;
constexpr int warps_of_token = 8;

// Block r has row r.
template <class T, int n>
__global__ void embedding_forward(const std::int32_t* ids, const T* tokens, const T* positions, T* y,
                                  std::int64_t length, std::int64_t columns) {
  const std::int64_t row = blockIdx.x;
  const T* token = tokens + ids[row] * columns;
  const T* position = positions + row % length * columns;
  for (std::int64_t i = threadIdx.x; i < columns / n; i += blockDim.x) {
    Pack<T, n> out = pack_at<n>(token, i);
    const Pack<T, n> add = pack_at<n>(position, i);
    for (int k = 0; k < n; ++k) out.value[k] = rounded<T>(widened(out.value[k]) + widened(add.value[k]));
    put_pack<n>(y + row * columns, i, out);
  }
}

struct SortedRows {
  std::int32_t* id;   // ascending
  std::int32_t* row;  // ascending where ids are equal
};

// A thread a row.
__global__ void sort_rows(const std::int32_t* ids, SortedRows sorted, int rows) {
  GPU_SHARED(std::int32_t, others, rows_of_sort);
  const int row = static_cast<int>(blockIdx.x * rows_of_sort + threadIdx.x);
  const std::int32_t id = row < rows ? ids[row] : 0;
  int before = 0;
  for (int first = 0; first < rows; first += rows_of_sort) {
    const int other = first + static_cast<int>(threadIdx.x);
    if (other < rows) others[threadIdx.x] = ids[other];
    __syncthreads();
    const int count = rows - first < rows_of_sort ? rows - first : rows_of_sort;
    for (int k = 0; k < count; ++k) before += others[k] < id || (others[k] == id && first + k < row) ? 1 : 0;
    __syncthreads();
  }
  if (row >= rows) return;
  sorted.id[before] = id;
  sorted.row[before] = row;
}

// Block (x, y): the rows that begin at place x of the sorted ones, if an id begins there; columns from 32 * n * y on.
// Warp w takes every eighth row from the w-th on.
template <class T, int n>
__global__ void add_token_rows(SortedRows sorted, const T* dy, T* dtokens, int rows, std::int64_t columns) {
  GPU_SHARED(float, of_warps, warps_of_token * 32 * n);
  const int first = static_cast<int>(blockIdx.x);
  const std::int32_t id = sorted.id[first];
  if (first > 0 && sorted.id[first - 1] == id) return;  // the whole block
  const std::int64_t pack = static_cast<std::int64_t>(blockIdx.y) * 32 + threadIdx.x;
  const bool inside = pack < columns / n;
  float sum[n] = {};
  for (int at = first + static_cast<int>(threadIdx.y); at < rows && sorted.id[at] == id; at += warps_of_token) {
    if (!inside) break;
    const Pack<T, n> add = pack_at<n>(dy + sorted.row[at] * columns, pack);
    for (int k = 0; k < n; ++k) sum[k] += widened(add.value[k]);
  }
  for (unsigned k = 0; k < n; ++k) of_warps[(k * warps_of_token + threadIdx.y) * 32 + threadIdx.x] = sum[k];
  __syncthreads();
  if (threadIdx.y != 0 || !inside) return;
  T* token = dtokens + id * columns;
  Pack<T, n> out = pack_at<n>(token, pack);
  for (unsigned k = 0; k < n; ++k) {
    for (unsigned warp = 1; warp < warps_of_token; ++warp) {
      sum[k] += of_warps[(k * warps_of_token + warp) * 32 + threadIdx.x];
    }
    out.value[k] = rounded<T>(widened(out.value[k]) + sum[k]);
  }
  put_pack<n>(token, pack, out);
}

// A thread a pack of dpositions.
template <class T, int n>
__global__ void sum_positions(const T* dy, T* dpositions, EmbeddingShape s) {
  const std::int64_t packs = s.columns / n;
  const std::int64_t stride = threads_of_grid();
  for (std::int64_t i = thread_of_grid(); i < s.positions * packs; i += stride) {
    float sum[n] = {};
    for (std::int64_t batch = 0; batch < s.batch && i < s.length * packs; ++batch) {
      const Pack<T, n> add = pack_at<n>(dy, batch * s.length * packs + i);
      for (int k = 0; k < n; ++k) sum[k] += widened(add.value[k]);
    }
    Pack<T, n> out;
    for (int k = 0; k < n; ++k) out.value[k] = rounded<T>(sum[k]);
    put_pack<n>(dpositions, i, out);
  }
}

template <class T>
class CudaEmbedding : public Embedding {
 public:
  CudaEmbedding(CudaDevice& device, const EmbeddingShape& s, DataType type)
      : device_(device),
        shape_(s),
        rows_(s.batch * s.length),
        tokens_(make_layout({s.vocabulary, s.columns}, type)),
        positions_(make_layout({s.positions, s.columns}, type)),
        y_(make_layout({rows_, s.columns}, type)),
        sorted_(device.allocate(static_cast<std::size_t>(2 * rows_) * sizeof(std::int32_t))) {}

  void forward(const std::int32_t* ids, ConstView tokens, ConstView positions, View y, Stream& stream) override {
    expect(tokens, tokens_, "embedding forward: tokens");
    expect(positions, positions_, "embedding forward: positions");
    expect(y, y_, "embedding forward: y");
    const bool whole = rows_in_packs(shape_.columns, tokens.as<T>(), positions.as<T>(), y.as<T>());
    const dim3 threads = row_threads(shape_.columns / (whole ? whole_pack<T> : 1));
    launch({"embedding_forward", dim3(static_cast<unsigned>(rows_)), threads, 0, of(stream)},
           whole ? embedding_forward<T, whole_pack<T>> : embedding_forward<T, 1>, ids, tokens.as<T>(),
           positions.as<T>(), y.as<T>(), shape_.length, shape_.columns);
  }

  void backward(const std::int32_t* ids, ConstView dy, View dtokens, View dpositions, Stream& stream) override {
    expect(dy, y_, "embedding backward: dy");
    expect(dtokens, tokens_, "embedding backward: dtokens");
    expect(dpositions, positions_, "embedding backward: dpositions");
    const bool whole = rows_in_packs(shape_.columns, dy.as<T>(), dtokens.as<T>(), dpositions.as<T>());
    const std::int64_t packs = shape_.columns / (whole ? whole_pack<T> : 1);
    launch(elementwise_launch("sum_positions", device_, {positions_->elements(), shape_.positions * packs}, stream),
           whole ? sum_positions<T, whole_pack<T>> : sum_positions<T, 1>, dy.as<T>(), dpositions.as<T>(), shape_);
    auto* id = static_cast<std::int32_t*>(sorted_.data());
    const SortedRows sorted{id, id + rows_};
    const auto rows = static_cast<int>(rows_);
    const auto sorters = static_cast<unsigned>((rows_ + rows_of_sort - 1) / rows_of_sort);
    launch({"sort_rows", dim3(sorters), dim3(rows_of_sort), 0, of(stream)}, sort_rows, ids, sorted, rows);
    const dim3 blocks(static_cast<unsigned>(rows_), static_cast<unsigned>((packs + 31) / 32));
    launch({"add_token_rows", blocks, dim3(32, warps_of_token), 0, of(stream)},
           whole ? add_token_rows<T, whole_pack<T>> : add_token_rows<T, 1>, sorted, dy.as<T>(), dtokens.as<T>(), rows,
           shape_.columns);
  }

 private:
  CudaDevice& device_;
  EmbeddingShape shape_;
  std::int64_t rows_;
  LayoutPtr tokens_;
  LayoutPtr positions_;
  LayoutPtr y_;
  Buffer sorted_;  // ids, then rows
};

}  // namespace

std::unique_ptr<Embedding> make_embedding(CudaDevice& device, const EmbeddingShape& shape, DataType type) {
  return make_for<Embedding, CudaEmbedding>(type, device, shape, type);
}

}  // namespace lockstep::kernels::cuda
