// sum = x + residual; y = (sum - mean) * rstd * gamma + beta, and its gradient (formulas in kernels/transformer.hpp).
// A block takes a row at a time and keeps it in shared memory, which each thread reads where it wrote itself. Rows too
// long for that are read again, from L2; any length works. dgamma and dbeta: each block adds up its own rows, in their
// order, ColumnSums the blocks; how many there are follows from the sizes alone.
// Traffic: forward x, residual, sum, y (16 bytes an element in float32; 8 without a residual), and gamma and beta,
// which each row asks for (8), from the caches after the first; mean and rstd are a sector each for a row. Backward dy,
// sum, dsum, dx (16) and gamma (4); each of a block's warps asks for a row's mean and rstd; then 16 for each column and
// block (at most 512 blocks, of 16 rows or more). Rows too long for shared memory: sum twice more in forward (8 an
// element); in backward dy, sum and gamma again (12), and the block's own sums of dgamma and dbeta, read and written
// for each row (16; twice that in bfloat16, whose packs are eight elements, so two requests of every other 16 bytes).
// Rows that are no whole packs go one element at a time: wherever that counts rows of matrices or of a block's sums, a
// warp's run of 32 begins anywhere within sectors and touches one more than it fills, which is a byte more for each
// access to an element; gamma and beta begin where a sector does. The sums are 16 bytes in bfloat16, too, then.
#include <algorithm>
#include <cmath>

#include "kernels/cuda/column_sums.hpp"
#include "kernels/cuda/elementwise.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/make_for.hpp"
#include "kernels/cuda/operations.hpp"
#include "kernels/cuda/reduce.hpp"

namespace lockstep::kernels::cuda {
namespace {

constexpr std::size_t most_shared = std::size_t{48} << 10U;

template <class T>
struct ForwardRows {
  const T* x;
  const T* residual;  // or null
  const T* gamma;
  const T* beta;
  T* sum;
  T* y;
  float* mean;
  float* rstd;
};

// Block r has row r. `in_shared`: the row fits there.
template <class T, int n, bool in_shared>
__global__ void norm_forward(ForwardRows<T> at, int columns) {
  DYN_SHARED(T, row);
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * columns;
  const int packs = columns / n;
  const auto begin = static_cast<int>(threadIdx.x);
  const auto step = static_cast<int>(blockDim.x);
  float total = 0;
  for (int i = begin; i < packs; i += step) {
    Pack<T, n> value = pack_at<n>(at.x + first, i);
    if (at.residual != nullptr) {
      const Pack<T, n> other = pack_at<n>(at.residual + first, i);
      for (int k = 0; k < n; ++k) value.value[k] = rounded<T>(widened(value.value[k]) + widened(other.value[k]));
      put_pack<n>(at.sum + first, i, value);
    }
    for (int k = 0; k < n; ++k) total += widened(value.value[k]);  // as rounded: backward sees no more than that
    if constexpr (in_shared) put_pack<n>(row, i, value);
  }
  const T* const again = in_shared ? row : (at.residual != nullptr ? at.sum : at.x) + first;
  const float mean = block_sum(total) / static_cast<float>(columns);
  float squares = 0;
  for (int i = begin; i < packs; i += step) {
    const Pack<T, n> value = pack_at<n>(again, i);
    for (int k = 0; k < n; ++k) squares += (widened(value.value[k]) - mean) * (widened(value.value[k]) - mean);
  }
  const float rstd = 1 / sqrtf(block_sum(squares) / static_cast<float>(columns) + ResidualLayerNorm::epsilon);
  for (int i = begin; i < packs; i += step) {
    const Pack<T, n> value = pack_at<n>(again, i);
    const Pack<T, n> gamma = pack_at<n>(at.gamma, i);
    const Pack<T, n> beta = pack_at<n>(at.beta, i);
    Pack<T, n> y;
    for (int k = 0; k < n; ++k) {
      y.value[k] =
          rounded<T>((widened(value.value[k]) - mean) * rstd * widened(gamma.value[k]) + widened(beta.value[k]));
    }
    put_pack<n>(at.y + first, i, y);
  }
  if (threadIdx.x == 0) {
    at.mean[blockIdx.x] = mean;
    at.rstd[blockIdx.x] = rstd;
  }
}

template <class T>
struct BackwardRows {
  const T* dy;
  const T* dsum;  // or null
  const T* sum;
  const T* gamma;
  const float* mean;
  const float* rstd;
  T* dx;
  float* dgamma;  // (blocks, columns)
  float* dbeta;
};

// Block b has the rows from b * rows_of_block on. Shared memory has four rows: dy * gamma and the normalised row, and
// the block's dgamma and dbeta. Where they don't fit, the first two are computed again, and the others are added up in
// global memory.
template <class T, int n, bool in_shared>
__global__ void norm_backward(BackwardRows<T> at, std::int64_t rows, int columns, std::int64_t rows_of_block) {
  DYN_SHARED(float, shared);
  float* const of_dgamma = at.dgamma + static_cast<std::int64_t>(blockIdx.x) * columns;
  float* const of_dbeta = at.dbeta + static_cast<std::int64_t>(blockIdx.x) * columns;
  float* const dgamma = in_shared ? shared + 2 * columns : of_dgamma;
  float* const dbeta = in_shared ? shared + 3 * columns : of_dbeta;
  const int packs = columns / n;
  const auto begin = static_cast<int>(threadIdx.x);
  const auto step = static_cast<int>(blockDim.x);
  for (int i = begin; i < packs; i += step) {
    keep(dgamma + i * n, Pack<float, n>{});
    keep(dbeta + i * n, Pack<float, n>{});
  }
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.x) * rows_of_block;
  const std::int64_t end = first_row + rows_of_block < rows ? first_row + rows_of_block : rows;
  for (std::int64_t row = first_row; row < end; ++row) {
    const float mean = at.mean[row];
    const float rstd = at.rstd[row];
    const T* dy_row = at.dy + row * columns;
    const T* sum_row = at.sum + row * columns;
    // dy, the normalised row and dy * gamma
    const auto load = [&](int i, Pack<float, n>& dy, Pack<float, n>& normalised, Pack<float, n>& gradient) {
      const Pack<T, n> dy_pack = pack_at<n>(dy_row, i);
      const Pack<T, n> sum = pack_at<n>(sum_row, i);
      const Pack<T, n> gamma = pack_at<n>(at.gamma, i);
      for (int k = 0; k < n; ++k) {
        dy.value[k] = widened(dy_pack.value[k]);
        normalised.value[k] = (widened(sum.value[k]) - mean) * rstd;
        gradient.value[k] = dy.value[k] * widened(gamma.value[k]);
      }
    };
    float total = 0;
    float along = 0;
    for (int i = begin; i < packs; i += step) {
      Pack<float, n> dy;
      Pack<float, n> normalised;
      Pack<float, n> gradient;
      load(i, dy, normalised, gradient);
      Pack<float, n> of_gamma = kept_at<n>(dgamma + i * n);
      Pack<float, n> of_beta = kept_at<n>(dbeta + i * n);
      for (int k = 0; k < n; ++k) {
        total += gradient.value[k];
        along += gradient.value[k] * normalised.value[k];
        of_gamma.value[k] += dy.value[k] * normalised.value[k];
        of_beta.value[k] += dy.value[k];
      }
      keep(dgamma + i * n, of_gamma);
      keep(dbeta + i * n, of_beta);
      if constexpr (in_shared) {
        keep(shared + i * n, gradient);
        keep(shared + columns + i * n, normalised);
      }
    }
    const float mean_gradient = block_sum(total) / static_cast<float>(columns);
    const float mean_along = block_sum(along) / static_cast<float>(columns);
    for (int i = begin; i < packs; i += step) {
      Pack<float, n> dy;
      Pack<float, n> normalised;
      Pack<float, n> gradient;
      if constexpr (in_shared) {
        gradient = kept_at<n>(shared + i * n);
        normalised = kept_at<n>(shared + columns + i * n);
      } else {
        load(i, dy, normalised, gradient);
      }
      Pack<T, n> past{};
      if (at.dsum != nullptr) past = pack_at<n>(at.dsum + row * columns, i);
      Pack<T, n> dx;
      for (int k = 0; k < n; ++k) {
        const float of_norm = rstd * (gradient.value[k] - mean_gradient - normalised.value[k] * mean_along);
        dx.value[k] = rounded<T>(of_norm + widened(past.value[k]));
      }
      put_pack<n>(at.dx + row * columns, i, dx);
    }
  }
  if constexpr (in_shared) {
    for (int i = begin; i < packs; i += step) {
      put_pack<n>(of_dgamma, i, kept_at<n>(dgamma + i * n));
      put_pack<n>(of_dbeta, i, kept_at<n>(dbeta + i * n));
    }
  }
}

std::int64_t rows_of_block(std::int64_t rows) {
  constexpr std::int64_t fewest_rows = 16;
  constexpr std::int64_t most_blocks = 512;
  return std::max(fewest_rows, (rows + most_blocks - 1) / most_blocks);
}

template <class T>
class CudaResidualLayerNorm : public ResidualLayerNorm {
 public:
  CudaResidualLayerNorm(CudaDevice& device, std::int64_t rows, std::int64_t columns, DataType type)
      : rows_(rows),
        columns_(columns),
        blocks_((rows + rows_of_block(rows) - 1) / rows_of_block(rows)),
        x_(make_layout({rows, columns}, type)),
        gamma_(make_layout({columns}, type)),
        partial_(device.allocate(static_cast<std::size_t>(2 * blocks_ * columns) * sizeof(float))),
        over_blocks_(device, blocks_, columns) {}

  void forward(ConstView x, ConstView residual, ConstView gamma, ConstView beta, View sum, View y, float* mean,
               float* rstd, Stream& stream) override {
    expect(x, x_, "residual_layer_norm forward: x");
    expect(gamma, gamma_, "residual_layer_norm forward: gamma");
    expect(beta, gamma_, "residual_layer_norm forward: beta");
    expect(y, x_, "residual_layer_norm forward: y");
    if (residual.data != nullptr) {
      expect(residual, x_, "residual_layer_norm forward: residual");
      expect(sum, x_, "residual_layer_norm forward: sum");
    }
    const ForwardRows<T> at{x.as<T>(),   residual.as<T>(), gamma.as<T>(), beta.as<T>(),
                            sum.as<T>(), y.as<T>(),        mean,          rstd};
    const std::size_t shared = static_cast<std::size_t>(columns_) * sizeof(T);
    const bool whole = rows_in_packs(columns_, at.x, at.residual, at.gamma, at.beta, at.sum, at.y);
    const int n = whole ? whole_pack<T> : 1;
    const bool fits = shared <= most_shared;
    const auto kernel = whole ? (fits ? norm_forward<T, whole_pack<T>, true> : norm_forward<T, whole_pack<T>, false>)
                              : (fits ? norm_forward<T, 1, true> : norm_forward<T, 1, false>);
    launch(
        {"norm_forward", dim3(static_cast<unsigned>(rows_)), row_threads(columns_ / n), fits ? shared : 0, of(stream)},
        kernel, at, static_cast<int>(columns_));
  }

  void backward(ConstView dy, ConstView dsum, ConstView sum, ConstView gamma, const float* mean, const float* rstd,
                View dx, View dgamma, View dbeta, Stream& stream) override {
    expect(dy, x_, "residual_layer_norm backward: dy");
    if (dsum.data != nullptr) expect(dsum, x_, "residual_layer_norm backward: dsum");
    expect(sum, x_, "residual_layer_norm backward: sum");
    expect(gamma, gamma_, "residual_layer_norm backward: gamma");
    expect(dx, x_, "residual_layer_norm backward: dx");
    expect(dgamma, gamma_, "residual_layer_norm backward: dgamma");
    expect(dbeta, gamma_, "residual_layer_norm backward: dbeta");
    auto* of_gamma = static_cast<float*>(partial_.data());
    float* of_beta = of_gamma + blocks_ * columns_;
    const BackwardRows<T> at{dy.as<T>(), dsum.as<T>(), sum.as<T>(), gamma.as<T>(), mean,
                             rstd,       dx.as<T>(),   of_gamma,    of_beta};
    const std::size_t shared = 4 * static_cast<std::size_t>(columns_) * sizeof(float);
    const bool whole = rows_in_packs(columns_, at.dy, at.dsum, at.sum, at.gamma, at.dx);
    const int n = whole ? whole_pack<T> : 1;
    const bool fits = shared <= most_shared;
    const auto kernel = whole ? (fits ? norm_backward<T, whole_pack<T>, true> : norm_backward<T, whole_pack<T>, false>)
                              : (fits ? norm_backward<T, 1, true> : norm_backward<T, 1, false>);
    launch({"norm_backward", dim3(static_cast<unsigned>(blocks_)), row_threads(columns_ / n), fits ? shared : 0,
            of(stream)},
           kernel, at, rows_, static_cast<int>(columns_), rows_of_block(rows_));
    over_blocks_.run(of_gamma, dgamma.as<T>(), stream);
    over_blocks_.run(of_beta, dbeta.as<T>(), stream);
  }

 private:
  std::int64_t rows_;
  std::int64_t columns_;
  std::int64_t blocks_;  // of norm_backward
  LayoutPtr x_;
  LayoutPtr gamma_;
  Buffer partial_;  // dgamma, then dbeta: (blocks, columns) each
  ColumnSums over_blocks_;
};

}  // namespace

std::unique_ptr<ResidualLayerNorm> make_residual_layer_norm(CudaDevice& device, std::int64_t rows, std::int64_t columns,
                                                            DataType type) {
  return make_for<ResidualLayerNorm, CudaResidualLayerNorm>(type, device, rows, columns, type);
}

}  // namespace lockstep::kernels::cuda
