// ReLU over memory: blocked layouts are padded with zeros, which both directions keep.
#include "kernels/cpu/layout.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/operations.hpp"

namespace lockstep::kernels::cpu {
namespace {

// NaN stays NaN, so that a model that has diverged cannot look healthy.
LOCKSTEP_VECTOR_CLONES void relu_forward(const float* x, float* y, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) y[i] = x[i] < 0 ? 0 : x[i];
}

LOCKSTEP_VECTOR_CLONES void relu_backward(const float* y, const float* dy, float* dx, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) dx[i] = y[i] > 0 ? dy[i] : 0;
}

class CpuRelu : public Relu {
 public:
  explicit CpuRelu(LayoutPtr layout) : layout_(std::move(layout)), count_(layout_->bytes() / sizeof(float)) {}

  void forward(ConstView x, View y, Stream& /*stream*/) override {
    expect(x, layout_, "relu forward: x");
    expect(y, layout_, "relu forward: y");
    relu_forward(x.f32(), y.f32(), count_);
  }

  void backward(ConstView y, ConstView dy, View dx, Stream& /*stream*/) override {
    expect(y, layout_, "relu backward: y");
    expect(dy, layout_, "relu backward: dy");
    expect(dx, layout_, "relu backward: dx");
    relu_backward(y.f32(), dy.f32(), dx.f32(), count_);
  }

 private:
  LayoutPtr layout_;
  std::size_t count_;
};

}  // namespace

std::unique_ptr<Relu> make_relu(const LayoutPtr& layout) { return std::make_unique<CpuRelu>(layout); }

}  // namespace lockstep::kernels::cpu
