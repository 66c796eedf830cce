// A 3x3 convolution with bias and ReLU. Its output stays in the layout that the back-end chose; its parameters and
// their gradients are plain, so each step copies the weight to the back-end's layout and the gradient back.
#include <optional>

#include "runner/model/adapted.hpp"
#include "runner/model/layer.hpp"

namespace lockstep::runner {
namespace {

using kernels::ConstView;
using kernels::LayoutPtr;
using kernels::View;

class Conv2dLayer : public Layer {
 public:
  Conv2dLayer(kernels::Device& device, const kernels::Conv2dShape& shape, const LayoutPtr& x, const Parameters& p)
      : conv_(kernels::make_conv2d(device, shape, x->type())),
        layouts_(conv_->layouts()),
        parameters_(p),
        x_layout_(x),
        plain_weight_(kernels::make_plain_layout(device, p.weight_info->shape, x->type())),
        x_(device, x, layouts_.x),
        weight_(device, plain_weight_, layouts_.weight),
        dweight_(device, plain_weight_, layouts_.dweight),
        y_(device.allocate(layouts_.y->bytes())) {
    if (shape.x_is_data) return;
    dx_.emplace(device, x, layouts_.x);
    const bool one_weight_serves_both = layouts_.weight->same_as(*layouts_.weight_backward);
    if (!one_weight_serves_both) weight_backward_.emplace(device, plain_weight_, layouts_.weight_backward);
  }

  LayoutPtr output() const override { return layouts_.y; }

  ConstView forward(ConstView x, const Pass& pass) override {
    const View y{y_.data(), layouts_.y.get()};
    conv_->forward(x_.of(x, pass.stream), weight_.of(weight(), pass.stream), bias(), y, pass.stream);
    return y;
  }

  View backward(View dy, void* spare, const Pass& pass) override {
    const View dweight{parameters_.dweight, plain_weight_.get()};
    conv_->backward_weights(x_.last(), dy, dweight_.target(dweight), {parameters_.dbias, layouts_.bias.get()},
                            pass.stream);
    dweight_.deliver(dweight, pass.stream);
    if (!dx_) return {};
    const View dx{spare, x_layout_.get()};
    const ConstView again = weight_backward_ ? weight_backward_->of(weight(), pass.stream) : weight_.last();
    conv_->backward_data(dy, again, dx_->target(dx), pass.stream);
    dx_->deliver(dx, pass.stream);
    return dx;
  }

 private:
  ConstView weight() const { return {parameters_.weight, plain_weight_.get()}; }
  ConstView bias() const { return {parameters_.bias, layouts_.bias.get()}; }

  std::unique_ptr<kernels::Conv2d> conv_;
  kernels::Conv2d::Layouts layouts_;
  Parameters parameters_;
  LayoutPtr x_layout_;
  LayoutPtr plain_weight_;
  AdaptedInput x_;
  AdaptedInput weight_;
  std::optional<AdaptedInput> weight_backward_;  // where backward_data wants another layout than forward
  AdaptedOutput dweight_;
  std::optional<AdaptedOutput> dx_;
  kernels::Buffer y_;
};

}  // namespace

std::unique_ptr<Layer> make_layer(kernels::Device& device, const Conv2dSpec& spec, const LayoutPtr& x,
                                  const Parameters& parameters) {
  const kernels::Shape& in = x->shape();
  kernels::Conv2dShape shape;
  shape.batch = in[0];
  shape.in_channels = in[1];
  shape.height = in[2];
  shape.width = in[3];
  shape.out_channels = spec.channels;
  shape.relu = true;
  shape.x_is_data = parameters.first;
  return std::make_unique<Conv2dLayer>(device, shape, x, parameters);
}

}  // namespace lockstep::runner
