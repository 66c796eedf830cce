// y = max(x, 0); dx = dy where y > 0, else 0. Any layout: memory is memory. NaN stays NaN forward.
// Traffic: forward 8 bytes an element in float32, backward 12; nothing is read or written twice.
#include "kernels/cuda/elementwise.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/make_for.hpp"
#include "kernels/cuda/operations.hpp"

namespace lockstep::kernels::cuda {
namespace {

template <class T>
__global__ void relu_forward(const T* x, T* y, Extent extent) {
  map(
      extent, y, [](float value) { return value < 0 ? 0.0F : value; }, x);
}

template <class T>
__global__ void relu_backward(const T* y, const T* dy, T* dx, Extent extent) {
  map(
      extent, dx, [](float value, float gradient) { return value > 0 ? gradient : 0.0F; }, y, dy);
}

template <class T>
class CudaRelu : public Relu {
 public:
  CudaRelu(CudaDevice& device, LayoutPtr layout) : device_(device), layout_(std::move(layout)) {}

  void forward(ConstView x, View y, Stream& stream) override {
    expect(x, layout_, "relu forward: x");
    expect(y, layout_, "relu forward: y");
    const Extent extent = extent_of(layout_->elements(), x.as<T>(), y.as<T>());
    launch(elementwise_launch("relu_forward", device_, extent, stream), relu_forward<T>, x.as<T>(), y.as<T>(), extent);
  }

  void backward(ConstView y, ConstView dy, View dx, Stream& stream) override {
    expect(y, layout_, "relu backward: y");
    expect(dy, layout_, "relu backward: dy");
    expect(dx, layout_, "relu backward: dx");
    const Extent extent = extent_of(layout_->elements(), y.as<T>(), dy.as<T>(), dx.as<T>());
    launch(elementwise_launch("relu_backward", device_, extent, stream), relu_backward<T>, y.as<T>(), dy.as<T>(),
           dx.as<T>(), extent);
  }

 private:
  CudaDevice& device_;
  LayoutPtr layout_;
};

}  // namespace

std::unique_ptr<Relu> make_relu(CudaDevice& device, const LayoutPtr& layout) {
  return make_for<Relu, CudaRelu>(layout->type(), device, layout);
}

}  // namespace lockstep::kernels::cuda
