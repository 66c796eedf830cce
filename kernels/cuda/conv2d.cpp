// Convolutions as matrix products over patches (im2col), channels last. Without cuDNN's implicit products this moves
// kernel^2 times the input through memory: see docs/gpu.md.
#include "common/error.hpp"
#include "kernels/cuda/column_sums.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/make_for.hpp"
#include "kernels/cuda/matmul.hpp"
#include "kernels/cuda/operations.hpp"
#include "kernels/cuda/patches.hpp"

namespace lockstep::kernels::cuda {
namespace {

template <class T>
class CudaConv2d : public Conv2d {
 public:
  CudaConv2d(CudaDevice& device, const Conv2dShape& s, DataType type)
      : shape_(s),
        rows_(s.batch * s.out_height() * s.out_width()),
        window_(s.kernel * s.kernel * s.in_channels),
        patches_(device.allocate(static_cast<std::size_t>(rows_ * window_) * sizeof(T))),
        forward_(device, {type, rows_, s.out_channels, window_, false, true, epilogue_of(true, s.relu)}),
        backward_weights_(device, {type, s.out_channels, window_, rows_, true}),
        bias_gradient_(device, rows_, s.out_channels) {
    const LayoutPtr weight =
        make_layout({s.out_channels, s.in_channels, s.kernel, s.kernel}, type, Order::channels_last);
    layouts_ = {make_layout({s.batch, s.in_channels, s.height, s.width}, type, Order::channels_last),
                make_layout({s.batch, s.out_channels, s.out_height(), s.out_width()}, type, Order::channels_last),
                weight,
                nullptr,
                weight,
                make_layout({s.out_channels}, type)};
    if (s.x_is_data) return;
    layouts_.weight_backward = weight;
    backward_data_ = std::make_unique<Matmul>(device, MatmulShape{type, rows_, window_, s.out_channels});
  }

  const Layouts& layouts() const override { return layouts_; }

  void forward(ConstView x, ConstView weight, ConstView bias, View y, Stream& stream) override {
    expect(x, layouts_.x, "conv2d forward: x");
    expect(weight, layouts_.weight, "conv2d forward: weight");
    expect(bias, layouts_.bias, "conv2d forward: bias");
    expect(y, layouts_.y, "conv2d forward: y");
    gather_patches(shape_, shape_.batch, x.as<T>(), patches(), stream);
    forward_.run(patches(), weight.as<T>(), bias.as<T>(), y.as<T>(), stream);
  }

  void backward_data(ConstView dy, ConstView weight, View dx, Stream& stream) override {
    if (!backward_data_) throw failure("conv2d backward_data: planned for data, which has no gradient");
    expect(dy, layouts_.y, "conv2d backward_data: dy");
    expect(weight, layouts_.weight_backward, "conv2d backward_data: weight");
    expect(dx, layouts_.x, "conv2d backward_data: dx");
    backward_data_->run(dy.as<T>(), weight.as<T>(), nullptr, patches(), stream);
    scatter_patches(shape_, shape_.batch, patches(), dx.as<T>(), stream);
  }

  void backward_weights(ConstView x, ConstView dy, View dweight, View dbias, Stream& stream) override {
    expect(x, layouts_.x, "conv2d backward_weights: x");
    expect(dy, layouts_.y, "conv2d backward_weights: dy");
    expect(dweight, layouts_.dweight, "conv2d backward_weights: dweight");
    expect(dbias, layouts_.bias, "conv2d backward_weights: dbias");
    gather_patches(shape_, shape_.batch, x.as<T>(), patches(), stream);
    backward_weights_.run(dy.as<T>(), patches(), nullptr, dweight.as<T>(), stream);
    bias_gradient_.run(dy.as<T>(), dbias.as<T>(), stream);
  }

 private:
  T* patches() { return static_cast<T*>(patches_.data()); }

  Conv2dShape shape_;
  std::int64_t rows_;    // of patches: one an output place
  std::int64_t window_;  // a patch's elements
  Layouts layouts_;
  Buffer patches_;
  Matmul forward_;
  std::unique_ptr<Matmul> backward_data_;
  Matmul backward_weights_;
  ColumnSums bias_gradient_;
};

}  // namespace

std::unique_ptr<Conv2d> make_conv2d(CudaDevice& device, const Conv2dShape& shape, DataType type) {
  return make_for<Conv2d, CudaConv2d>(type, device, shape, type);
}

}  // namespace lockstep::kernels::cuda
