// A dense layer with bias, and a ReLU fused into its forward half.
#include "runner/model/layer.hpp"

namespace lockstep::runner {
namespace {

using kernels::ConstView;
using kernels::LayoutPtr;
using kernels::View;

class DenseLayer : public Layer {
 public:
  DenseLayer(kernels::Device& device, const kernels::DenseShape& shape, LayoutPtr x, const Parameters& p)
      : dense_(kernels::make_dense(device, shape, x->type())),
        parameters_(p),
        x_layout_(std::move(x)),
        y_layout_(kernels::make_plain_layout(device, {shape.rows, shape.out}, x_layout_->type())),
        weight_layout_(kernels::make_plain_layout(device, p.weight_info->shape, x_layout_->type())),
        bias_layout_(kernels::make_plain_layout(device, p.bias_info->shape, x_layout_->type())),
        y_(device.allocate(y_layout_->bytes())) {}

  LayoutPtr output() const override { return y_layout_; }

  ConstView forward(ConstView x, const Pass& pass) override {
    x_ = x;
    const View y{y_.data(), y_layout_.get()};
    dense_->forward(x, weight(), {parameters_.bias, bias_layout_.get()}, y, pass.stream);
    return y;
  }

  View backward(View dy, void* spare, const Pass& pass) override {
    dense_->backward_weights(x_, dy, {parameters_.dweight, weight_layout_.get()},
                             {parameters_.dbias, bias_layout_.get()}, pass.stream);
    if (parameters_.first) return {};
    const View dx{spare, x_layout_.get()};
    dense_->backward_data(dy, weight(), dx, pass.stream);
    return dx;
  }

 private:
  ConstView weight() const { return {parameters_.weight, weight_layout_.get()}; }

  std::unique_ptr<kernels::Dense> dense_;
  Parameters parameters_;
  LayoutPtr x_layout_;
  LayoutPtr y_layout_;
  LayoutPtr weight_layout_;
  LayoutPtr bias_layout_;
  kernels::Buffer y_;
  ConstView x_;
};

}  // namespace

std::unique_ptr<Layer> make_layer(kernels::Device& device, const DenseSpec& spec, const LayoutPtr& x,
                                  const Parameters& parameters) {
  const kernels::DenseShape shape{x->shape()[0], x->shape()[1], spec.units, spec.relu};
  return std::make_unique<DenseLayer>(device, shape, x, parameters);
}

}  // namespace lockstep::runner
