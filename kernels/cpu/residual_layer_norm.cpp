// Residual addition and layer norm, a row at a time. Sums over a row have named partial sums (loops.hpp); dgamma and
// dbeta are summed in the order of the rows.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/layout.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/operations.hpp"

namespace lockstep::kernels::cpu {
namespace {

constexpr auto lanes_of_row = static_cast<std::int64_t>(kLanes);

LOCKSTEP_VECTOR_CLONES void add(const float* x, const float* residual, float* sum, std::int64_t columns) {
  for (std::int64_t i = 0; i < columns; ++i) sum[i] = x[i] + residual[i];
}

LOCKSTEP_VECTOR_CLONES float sum_of(const float* x, std::int64_t columns) {
  float lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + lanes_of_row <= columns; i += lanes_of_row) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += x[i + static_cast<std::int64_t>(lane)];
  }
  for (std::size_t lane = 0; i < columns; ++i, ++lane) lanes[lane] += x[i];
  return sum_of_lanes(lanes);
}

// The sum of (x - mean)^2.
LOCKSTEP_VECTOR_CLONES float squares_of(const float* x, float mean, std::int64_t columns) {
  float lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + lanes_of_row <= columns; i += lanes_of_row) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float from_mean = x[i + static_cast<std::int64_t>(lane)] - mean;
      lanes[lane] += from_mean * from_mean;
    }
  }
  for (std::size_t lane = 0; i < columns; ++i, ++lane) lanes[lane] += (x[i] - mean) * (x[i] - mean);
  return sum_of_lanes(lanes);
}

LOCKSTEP_VECTOR_CLONES void normalise(const float* x, float mean, float rstd, const float* gamma, const float* beta,
                                      float* y, std::int64_t columns) {
  for (std::int64_t i = 0; i < columns; ++i) y[i] = (x[i] - mean) * rstd * gamma[i] + beta[i];
}

struct RowSums {
  float gradient = 0;             // of dy * gamma
  float gradient_normalised = 0;  // of dy * gamma * normalised
};

// The row's sums, and its part of dgamma and dbeta.
LOCKSTEP_VECTOR_CLONES RowSums sums_of_row(const float* dy, const float* x, float mean, float rstd, const float* gamma,
                                           float* __restrict dgamma, float* __restrict dbeta, std::int64_t columns) {
  float first[kLanes] = {};
  float second[kLanes] = {};
  const auto element = [&](std::int64_t i, std::size_t lane) {
    const float normalised = (x[i] - mean) * rstd;
    const float gradient = dy[i] * gamma[i];
    first[lane] += gradient;
    second[lane] += gradient * normalised;
    dgamma[i] += dy[i] * normalised;
    dbeta[i] += dy[i];
  };
  std::int64_t i = 0;
  for (; i + lanes_of_row <= columns; i += lanes_of_row) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) element(i + static_cast<std::int64_t>(lane), lane);
  }
  for (std::size_t lane = 0; i < columns; ++i, ++lane) element(i, lane);
  return {sum_of_lanes(first), sum_of_lanes(second)};
}

// dsum may be null.
LOCKSTEP_VECTOR_CLONES void gradient_of_row(const float* dy, const float* dsum, const float* x, float mean, float rstd,
                                            const float* gamma, RowSums means, float* dx, std::int64_t columns) {
  for (std::int64_t i = 0; i < columns; ++i) {
    const float normalised = (x[i] - mean) * rstd;
    const float gradient = rstd * (dy[i] * gamma[i] - means.gradient - normalised * means.gradient_normalised);
    dx[i] = dsum != nullptr ? gradient + dsum[i] : gradient;
  }
}

class CpuResidualLayerNorm : public ResidualLayerNorm {
 public:
  CpuResidualLayerNorm(std::int64_t rows, std::int64_t columns)
      : rows_(rows), columns_(columns), x_(make_plain_layout({rows, columns})), gamma_(make_plain_layout({columns})) {}

  void forward(ConstView x, ConstView residual, ConstView gamma, ConstView beta, View sum, View y, float* mean,
               float* rstd, Stream& /*stream*/) override {
    expect(x, x_, "residual_layer_norm forward: x");
    expect(gamma, gamma_, "residual_layer_norm forward: gamma");
    expect(beta, gamma_, "residual_layer_norm forward: beta");
    expect(y, x_, "residual_layer_norm forward: y");
    const bool adds = residual.data != nullptr;
    if (adds) {
      expect(residual, x_, "residual_layer_norm forward: residual");
      expect(sum, x_, "residual_layer_norm forward: sum");
    }
    for (std::int64_t row = 0; row < rows_; ++row) {
      const std::int64_t at = row * columns_;
      const float* from = x.f32() + at;
      if (adds) {
        add(from, residual.f32() + at, sum.f32() + at, columns_);
        from = sum.f32() + at;
      }
      mean[row] = sum_of(from, columns_) / static_cast<float>(columns_);
      const float variance = squares_of(from, mean[row], columns_) / static_cast<float>(columns_);
      rstd[row] = 1 / std::sqrt(variance + epsilon);
      normalise(from, mean[row], rstd[row], gamma.f32(), beta.f32(), y.f32() + at, columns_);
    }
  }

  void backward(ConstView dy, ConstView dsum, ConstView sum, ConstView gamma, const float* mean, const float* rstd,
                View dx, View dgamma, View dbeta, Stream& /*stream*/) override {
    expect(dy, x_, "residual_layer_norm backward: dy");
    if (dsum.data != nullptr) expect(dsum, x_, "residual_layer_norm backward: dsum");
    expect(sum, x_, "residual_layer_norm backward: sum");
    expect(gamma, gamma_, "residual_layer_norm backward: gamma");
    expect(dx, x_, "residual_layer_norm backward: dx");
    expect(dgamma, gamma_, "residual_layer_norm backward: dgamma");
    expect(dbeta, gamma_, "residual_layer_norm backward: dbeta");
    std::fill_n(dgamma.f32(), columns_, 0.0F);
    std::fill_n(dbeta.f32(), columns_, 0.0F);
    for (std::int64_t row = 0; row < rows_; ++row) {
      const std::int64_t at = row * columns_;
      RowSums means = sums_of_row(dy.f32() + at, sum.f32() + at, mean[row], rstd[row], gamma.f32(), dgamma.f32(),
                                  dbeta.f32(), columns_);
      means.gradient /= static_cast<float>(columns_);
      means.gradient_normalised /= static_cast<float>(columns_);
      gradient_of_row(dy.f32() + at, dsum.data != nullptr ? dsum.f32() + at : nullptr, sum.f32() + at, mean[row],
                      rstd[row], gamma.f32(), means, dx.f32() + at, columns_);
    }
  }

 private:
  std::int64_t rows_;
  std::int64_t columns_;
  LayoutPtr x_;
  LayoutPtr gamma_;
};

}  // namespace

std::unique_ptr<ResidualLayerNorm> make_residual_layer_norm(std::int64_t rows, std::int64_t columns) {
  return std::make_unique<CpuResidualLayerNorm>(rows, columns);
}

}  // namespace lockstep::kernels::cpu
