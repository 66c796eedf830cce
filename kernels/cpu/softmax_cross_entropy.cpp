// Softmax and cross-entropy, forward and backward in one pass over each row of logits.
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/cpu/layout.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/operations.hpp"

namespace lockstep::kernels::cpu {
namespace {

// e^x for x <= 0 within 2 units in the last place, 0 below -87: Cephes' expf (Moshier) without its branches, so that
// it vectorises. NaN stays NaN.
inline float exp_of_non_positive(float x) {
  constexpr float to_integer = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  const float bounded = x < -87.0F ? -87.0F : x;
  const float shifted = bounded * 1.44269504F + to_integer;
  const float n = shifted - to_integer;
  const float r = (bounded - n * 0.693359375F) - n * -2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  std::int32_t bits = 0;
  std::memcpy(&bits, &shifted, sizeof bits);
  const std::int32_t exponent = static_cast<std::int32_t>(static_cast<std::uint32_t>(bits) << 23U) + 0x3F800000;
  float power = 0;
  std::memcpy(&power, &exponent, sizeof power);
  return x < -87.0F ? 0.0F : p * power;
}

LOCKSTEP_VECTOR_CLONES float row_maximum(const float* x, std::int64_t count) {
  float lanes[kLanes];
  for (float& lane : lanes) lane = -std::numeric_limits<float>::infinity();
  std::int64_t i = 0;
  for (; i + static_cast<std::int64_t>(kLanes) <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] = x[i + lane] > lanes[lane] ? x[i + lane] : lanes[lane];
  }
  for (; i < count; ++i) lanes[0] = x[i] > lanes[0] ? x[i] : lanes[0];
  float maximum = lanes[0];
  for (const float lane : lanes) maximum = lane > maximum ? lane : maximum;
  return maximum;
}

// e[i] = exp(x[i] - maximum); returns their sum. e may be x.
LOCKSTEP_VECTOR_CLONES double exponentials(const float* x, float maximum, float* e, std::int64_t count) {
  double lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + static_cast<std::int64_t>(kLanes) <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float value = exp_of_non_positive(x[i + lane] - maximum);
      e[i + lane] = value;
      lanes[lane] += static_cast<double>(value);
    }
  }
  for (std::size_t lane = 0; i < count; ++i, ++lane) {
    e[i] = exp_of_non_positive(x[i] - maximum);
    lanes[lane] += static_cast<double>(e[i]);
  }
  return sum_of_lanes(lanes);
}

bool first_largest_is(const float* x, std::int64_t count, float maximum, std::int64_t label) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (x[i] == maximum) return i == label;
  }
  return false;
}

class CpuSoftmaxCrossEntropy : public SoftmaxCrossEntropy {
 public:
  CpuSoftmaxCrossEntropy(std::int64_t rows, std::int64_t classes)
      : layout_(make_plain_layout({rows, classes})), row_(static_cast<std::size_t>(classes)) {}

  void run(ConstView logits, const std::int32_t* labels, float scale, View dlogits, LossSums* sums,
           Stream& /*stream*/) override {
    expect(logits, layout_, "softmax_cross_entropy: logits");
    if (dlogits.data != nullptr) expect(dlogits, layout_, "softmax_cross_entropy: dlogits");
    const std::int64_t classes = layout_->shape()[1];
    for (std::int64_t row = 0; row < layout_->shape()[0]; ++row) {
      const float* x = logits.f32() + row * classes;
      const std::int32_t label = labels[row];
      const float maximum = row_maximum(x, classes);
      const float of_label = x[label];
      sums->correct += first_largest_is(x, classes, maximum, label) ? 1 : 0;
      float* e = dlogits.data != nullptr ? dlogits.f32() + row * classes : row_.data();
      const double sum = exponentials(x, maximum, e, classes);
      sums->loss += std::log(sum) - (static_cast<double>(of_label) - static_cast<double>(maximum));
      if (dlogits.data == nullptr) continue;
      const float factor = static_cast<float>(static_cast<double>(scale) / sum);
      for (std::int64_t i = 0; i < classes; ++i) e[i] *= factor;
      e[label] -= scale;
    }
  }

 private:
  LayoutPtr layout_;
  std::vector<float> row_;  // the exponentials nobody asked for
};

}  // namespace

std::unique_ptr<SoftmaxCrossEntropy> make_softmax_cross_entropy(std::int64_t rows, std::int64_t classes,
                                                                DataType type) {
  expect_f32(type, "softmax_cross_entropy");
  return std::make_unique<CpuSoftmaxCrossEntropy>(rows, classes);
}

}  // namespace lockstep::kernels::cpu
