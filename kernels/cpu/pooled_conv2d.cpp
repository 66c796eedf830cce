// A convolution with its ReLU, then a pooling, by oneDNN. Of the unpooled size there is one buffer: forward's result,
// and after it the gradient. Backward masks dy where y is 0, which are four times fewer values than before the pooling:
// max(pool(x), 0) = pool(max(x, 0)).
#include "kernels/cpu/operations.hpp"

namespace lockstep::kernels::cpu {
namespace {

class CpuPooledConv2d : public PooledConv2d {
 public:
  CpuPooledConv2d(CpuDevice& device, const PooledConv2dShape& s)
      : x_is_data_(s.x_is_data),
        conv_(make_conv2d(device,
                          {s.batch, s.in_channels, s.height, s.width, s.out_channels, 3, 1, 1, true, s.x_is_data})),
        unpooled_layout_(conv_->layouts().y),
        pool_(make_max_pool(device, {unpooled_layout_, 2, 2})),
        relu_(make_relu(pool_->y())),
        layouts_(conv_->layouts()),
        unpooled_(device.allocate(unpooled_layout_->bytes())),
        masked_(device.allocate(pool_->y()->bytes())) {
    layouts_.y = pool_->y();
  }

  const Conv2d::Layouts& layouts() const override { return layouts_; }
  std::size_t workspace_bytes() const override { return pool_->workspace_bytes(); }

  void forward(ConstView x, ConstView weight, ConstView bias, View y, void* workspace, Stream& stream) override {
    conv_->forward(x, weight, bias, unpooled(), stream);
    pool_->forward(unpooled(), y, workspace, stream);
  }

  void backward(ConstView x, ConstView y, ConstView dy, const void* workspace, ConstView weight, View dx, View dweight,
                View dbias, Stream& stream) override {
    const View masked{masked_.data(), layouts_.y.get()};
    relu_->backward(y, dy, masked, stream);
    pool_->backward(masked, workspace, unpooled(), stream);
    conv_->backward_weights(x, unpooled(), dweight, dbias, stream);
    if (!x_is_data_) conv_->backward_data(unpooled(), weight, dx, stream);
  }

 private:
  View unpooled() const { return {unpooled_.data(), unpooled_layout_.get()}; }

  bool x_is_data_;
  std::unique_ptr<Conv2d> conv_;
  LayoutPtr unpooled_layout_;
  std::unique_ptr<MaxPool> pool_;
  std::unique_ptr<Relu> relu_;
  Conv2d::Layouts layouts_;
  Buffer unpooled_;
  Buffer masked_;
};

}  // namespace

std::unique_ptr<PooledConv2d> make_pooled_conv2d(CpuDevice& device, const PooledConv2dShape& shape) {
  return std::make_unique<CpuPooledConv2d>(device, shape);
}

}  // namespace lockstep::kernels::cpu
