// The layers without parameters: ReLU (its backward half), dropout, flatten.
#include "runner/model/adapted.hpp"
#include "runner/model/layer.hpp"

namespace lockstep::runner {
namespace {

using kernels::ConstView;
using kernels::LayoutPtr;
using kernels::View;

class ReluLayer : public Layer {
 public:
  ReluLayer(kernels::Device& device, const LayoutPtr& x)
      : layout_(x), relu_(kernels::make_relu(device, x, x->type())) {}
  LayoutPtr output() const override { return layout_; }
  ConstView forward(ConstView x, const Pass& /*pass*/) override { return y_ = x; }
  View backward(View dy, void* /*spare*/, const Pass& pass) override {
    relu_->backward(y_, dy, dy, pass.stream);
    return dy;
  }

 private:
  LayoutPtr layout_;
  std::unique_ptr<kernels::Relu> relu_;
  ConstView y_;
};

class DropoutLayer : public Layer {
 public:
  DropoutLayer(kernels::Device& device, const DropoutSpec& spec, const LayoutPtr& x)
      : layout_(x),
        number_(spec.number),
        dropout_(kernels::make_dropout(device, x, spec.rate, x->type())),
        y_(device.allocate(x->bytes())) {}
  LayoutPtr output() const override { return layout_; }
  ConstView forward(ConstView x, const Pass& pass) override {
    if (!pass.training) return x;
    const View y{y_.data(), layout_.get()};
    dropout_->forward(x, y, key(pass), pass.stream);
    return y;
  }
  View backward(View dy, void* /*spare*/, const Pass& pass) override {
    dropout_->backward(dy, dy, key(pass), pass.stream);
    return dy;
  }

 private:
  kernels::DropoutKey key(const Pass& pass) const { return {pass.seed, number_, 0, pass.first_sample, pass.now}; }

  LayoutPtr layout_;
  std::uint32_t number_;
  std::unique_ptr<kernels::Dropout> dropout_;
  kernels::Buffer y_;
};

class FlattenLayer : public Layer {
 public:
  FlattenLayer(kernels::Device& device, const LayoutPtr& x)
      : x_layout_(x),
        plain_(kernels::make_plain_layout(device, x->shape(), x->type())),
        rows_(kernels::make_plain_layout(device, {x->shape()[0], x->elements() / x->shape()[0]}, x->type())),
        x_(device, x, plain_),
        dx_(x->same_as(*plain_) ? nullptr : kernels::make_reorder(device, plain_, x)) {}
  LayoutPtr output() const override { return rows_; }
  ConstView forward(ConstView x, const Pass& pass) override { return {x_.of(x, pass.stream).data, rows_.get()}; }
  View backward(View dy, void* spare, const Pass& pass) override {
    if (!dx_) return {dy.data, x_layout_.get()};
    const View dx{spare, x_layout_.get()};
    dx_->run({dy.data, plain_.get()}, dx, pass.stream);
    return dx;
  }

 private:
  LayoutPtr x_layout_;
  LayoutPtr plain_;
  LayoutPtr rows_;
  AdaptedInput x_;
  std::unique_ptr<kernels::Reorder> dx_;
};

}  // namespace

std::unique_ptr<Layer> make_layer(kernels::Device& device, const ReluSpec& /*spec*/, const LayoutPtr& x,
                                  const Parameters& /*parameters*/) {
  return std::make_unique<ReluLayer>(device, x);
}

std::unique_ptr<Layer> make_layer(kernels::Device& device, const DropoutSpec& spec, const LayoutPtr& x,
                                  const Parameters& /*parameters*/) {
  return std::make_unique<DropoutLayer>(device, spec, x);
}

std::unique_ptr<Layer> make_layer(kernels::Device& device, const FlattenSpec& /*spec*/, const LayoutPtr& x,
                                  const Parameters& /*parameters*/) {
  return std::make_unique<FlattenLayer>(device, x);
}

}  // namespace lockstep::runner
