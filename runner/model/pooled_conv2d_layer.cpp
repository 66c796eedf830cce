// A 3x3 convolution with bias, 2x2 max-pooling and ReLU. Its output stays in the layout that the back-end chose; its
// parameters and their gradients are plain, so where the back-end wants a weight otherwise, each step copies it there
// and its gradient back.
#include <optional>

#include "runner/model/adapted.hpp"
#include "runner/model/layer.hpp"

namespace lockstep::runner {
namespace {

using kernels::ConstView;
using kernels::LayoutPtr;
using kernels::View;

class PooledConv2dLayer : public Layer {
 public:
  PooledConv2dLayer(kernels::Device& device, const kernels::PooledConv2dShape& shape, const LayoutPtr& x,
                    const Parameters& p)
      : conv_(kernels::make_pooled_conv2d(device, shape, x->type())),
        layouts_(conv_->layouts()),
        parameters_(p),
        x_layout_(x),
        plain_weight_(kernels::make_plain_layout(device, p.weight_info->shape, x->type())),
        x_(device, x, layouts_.x),
        weight_(device, plain_weight_, layouts_.weight),
        dweight_(device, plain_weight_, layouts_.dweight),
        y_(device.allocate(layouts_.y->bytes())),
        workspace_(device.allocate(conv_->workspace_bytes())) {
    if (shape.x_is_data) return;
    dx_.emplace(device, x, layouts_.x);
    const bool one_weight_serves_both = layouts_.weight->same_as(*layouts_.weight_backward);
    if (!one_weight_serves_both) weight_backward_.emplace(device, plain_weight_, layouts_.weight_backward);
  }

  LayoutPtr output() const override { return layouts_.y; }

  ConstView forward(ConstView x, const Pass& pass) override {
    conv_->forward(x_.of(x, pass.stream), weight_.of(weight(), pass.stream), bias(), y(), workspace_.data(),
                   pass.stream);
    return y();
  }

  View backward(View dy, void* spare, const Pass& pass) override {
    const View dweight{parameters_.dweight, plain_weight_.get()};
    const View dbias{parameters_.dbias, layouts_.bias.get()};
    const View dx = dx_ ? View{spare, x_layout_.get()} : View{};
    conv_->backward(x_.last(), y(), dy, workspace_.data(), weight_backward(pass), dx_ ? dx_->target(dx) : dx,
                    dweight_.target(dweight), dbias, pass.stream);
    dweight_.deliver(dweight, pass.stream);
    if (dx_) dx_->deliver(dx, pass.stream);
    return dx;
  }

 private:
  View y() const { return {y_.data(), layouts_.y.get()}; }
  ConstView weight() const { return {parameters_.weight, plain_weight_.get()}; }
  ConstView bias() const { return {parameters_.bias, layouts_.bias.get()}; }
  ConstView weight_backward(const Pass& pass) {
    return weight_backward_ ? weight_backward_->of(weight(), pass.stream) : weight_.last();
  }

  std::unique_ptr<kernels::PooledConv2d> conv_;
  kernels::Conv2d::Layouts layouts_;
  Parameters parameters_;
  LayoutPtr x_layout_;
  LayoutPtr plain_weight_;
  AdaptedInput x_;
  AdaptedInput weight_;
  std::optional<AdaptedInput> weight_backward_;  // where backward wants another layout than forward
  AdaptedOutput dweight_;
  std::optional<AdaptedOutput> dx_;
  kernels::Buffer y_;
  kernels::Buffer workspace_;
};

}  // namespace

std::unique_ptr<Layer> make_layer(kernels::Device& device, const PooledConv2dSpec& spec, const LayoutPtr& x,
                                  const Parameters& parameters) {
  const kernels::Shape& in = x->shape();
  const kernels::PooledConv2dShape shape{in[0], in[1], in[2], in[3], spec.channels, parameters.first};
  return std::make_unique<PooledConv2dLayer>(device, shape, x, parameters);
}

}  // namespace lockstep::runner
