#include "kernels/cuda/pooled_conv2d.hpp"

#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/make_for.hpp"
#include "kernels/cuda/operations.hpp"

namespace lockstep::kernels::cuda {
namespace {

template <class T>
class CudaPooledConv2d : public PooledConv2d {
 public:
  CudaPooledConv2d(CudaDevice& device, const PooledConv2dShape& s, DataType type) : shape_(s), weights_(device, s) {
    const LayoutPtr weight = make_layout({s.out_channels, s.in_channels, 3, 3}, type);
    layouts_ = {make_layout({s.batch, s.in_channels, s.height, s.width}, type, Order::channels_last),
                make_layout({s.batch, s.out_channels, s.out_height(), s.out_width()}, type, Order::channels_last),
                weight,
                s.x_is_data ? nullptr : weight,
                weight,
                make_layout({s.out_channels}, type)};
  }

  const Conv2d::Layouts& layouts() const override { return layouts_; }
  std::size_t workspace_bytes() const override { return static_cast<std::size_t>(layouts_.y->elements()); }

  void forward(ConstView x, ConstView weight, ConstView bias, View y, void* workspace, Stream& stream) override {
    expect(x, layouts_.x, "pooled_conv2d forward: x");
    expect(weight, layouts_.weight, "pooled_conv2d forward: weight");
    expect(bias, layouts_.bias, "pooled_conv2d forward: bias");
    expect(y, layouts_.y, "pooled_conv2d forward: y");
    pooled_conv2d_forward(shape_, x.as<T>(), weight.as<T>(), bias.as<T>(), y.as<T>(),
                          static_cast<std::uint8_t*>(workspace), stream);
  }

  void backward(ConstView x, ConstView y, ConstView dy, const void* workspace, ConstView weight, View dx, View dweight,
                View dbias, Stream& stream) override {
    expect(x, layouts_.x, "pooled_conv2d backward: x");
    expect(y, layouts_.y, "pooled_conv2d backward: y");
    expect(dy, layouts_.y, "pooled_conv2d backward: dy");
    expect(dweight, layouts_.dweight, "pooled_conv2d backward: dweight");
    expect(dbias, layouts_.bias, "pooled_conv2d backward: dbias");
    const auto* winners = static_cast<const std::uint8_t*>(workspace);
    weights_.run(x.as<T>(), dy.as<T>(), winners, dweight.as<T>(), dbias.as<T>(), stream);
    if (shape_.x_is_data) return;
    expect(weight, layouts_.weight_backward, "pooled_conv2d backward: weight");
    expect(dx, layouts_.x, "pooled_conv2d backward: dx");
    pooled_conv2d_data(shape_, dy.as<T>(), winners, weight.as<T>(), dx.as<T>(), stream);
  }

 private:
  PooledConv2dShape shape_;
  Conv2d::Layouts layouts_;
  PooledConv2dWeights<T> weights_;
};

}  // namespace

std::unique_ptr<PooledConv2d> make_pooled_conv2d(CudaDevice& device, const PooledConv2dShape& shape, DataType type) {
  return make_for<PooledConv2d, CudaPooledConv2d>(type, device, shape, type);
}

}  // namespace lockstep::kernels::cuda
