// Softmax and cross-entropy, forward and backward in one pass over each row of logits.
#include "kernels/cpu/exponential.hpp"
#include "kernels/cpu/layout.hpp"
#include "kernels/cpu/operations.hpp"
#include "kernels/plain_math.hpp"

namespace lockstep::kernels::cpu {
namespace {

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
      sums->loss += natural_logarithm(sum) - (static_cast<double>(of_label) - static_cast<double>(maximum));
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

std::unique_ptr<SoftmaxCrossEntropy> make_softmax_cross_entropy(std::int64_t rows, std::int64_t classes) {
  return std::make_unique<CpuSoftmaxCrossEntropy>(rows, classes);
}

}  // namespace lockstep::kernels::cpu
