// gelu(u) = u * s with s = 1 / (1 + exp(-2 z)), z = sqrt(2 / pi) * (u + 0.044715 u^3): (1 + tanh(z)) / 2 is s, and in
// this form small results keep their relative precision.
#include <cmath>

#include "kernels/cpu/exponential.hpp"
#include "kernels/cpu/layout.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/operations.hpp"

namespace lockstep::kernels::cpu {
namespace {

constexpr float root = 0.7978845608F;  // sqrt(2 / pi)
constexpr float cubic = 0.044715F;

LOCKSTEP_VECTOR_CLONES void gelu_row(const float* x, const float* bias, float* y, std::int64_t columns) {
  for (std::int64_t i = 0; i < columns; ++i) {
    const float u = x[i] + bias[i];
    const float z = root * (u + cubic * u * u * u);
    const float e = exp_of_non_positive(-2 * std::fabs(z));
    y[i] = u * ((z < 0 ? e : 1) / (1 + e));
  }
}

// gelu'(u) = s + u * s (1 - s) * 2 z'. Where e is 0, s (1 - s) is, however large z' has become.
LOCKSTEP_VECTOR_CLONES void gelu_row_backward(const float* x, const float* bias, const float* dy, float* dx,
                                              std::int64_t columns) {
  for (std::int64_t i = 0; i < columns; ++i) {
    const float u = x[i] + bias[i];
    const float z = root * (u + cubic * u * u * u);
    const float e = exp_of_non_positive(-2 * std::fabs(z));
    const float s = (z < 0 ? e : 1) / (1 + e);
    const float bend = u * (e / ((1 + e) * (1 + e))) * (2 * root * (1 + 3 * cubic * u * u));
    dx[i] = dy[i] * (s + (e == 0 ? 0 : bend));
  }
}

class CpuBiasGelu : public BiasGelu {
 public:
  CpuBiasGelu(std::int64_t rows, std::int64_t columns)
      : rows_(rows), columns_(columns), x_(make_plain_layout({rows, columns})), bias_(make_plain_layout({columns})) {}

  void forward(ConstView x, ConstView bias, View y, Stream& /*stream*/) override {
    expect(x, x_, "bias_gelu forward: x");
    expect(bias, bias_, "bias_gelu forward: bias");
    expect(y, x_, "bias_gelu forward: y");
    for (std::int64_t row = 0; row < rows_; ++row) {
      gelu_row(x.f32() + row * columns_, bias.f32(), y.f32() + row * columns_, columns_);
    }
  }

  void backward(ConstView x, ConstView bias, ConstView dy, View dx, View dbias, Stream& /*stream*/) override {
    expect(x, x_, "bias_gelu backward: x");
    expect(bias, bias_, "bias_gelu backward: bias");
    expect(dy, x_, "bias_gelu backward: dy");
    expect(dx, x_, "bias_gelu backward: dx");
    expect(dbias, bias_, "bias_gelu backward: dbias");
    for (std::int64_t at = 0; at < rows_ * columns_; at += columns_) {
      gelu_row_backward(x.f32() + at, bias.f32(), dy.f32() + at, dx.f32() + at, columns_);
    }
    sum_rows(dx.f32(), rows_, columns_, dbias.f32());
  }

 private:
  std::int64_t rows_;
  std::int64_t columns_;
  LayoutPtr x_;
  LayoutPtr bias_;
};

}  // namespace

std::unique_ptr<BiasGelu> make_bias_gelu(std::int64_t rows, std::int64_t columns) {
  return std::make_unique<CpuBiasGelu>(rows, columns);
}

}  // namespace lockstep::kernels::cpu
