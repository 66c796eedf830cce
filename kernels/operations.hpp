// The operations of a model's layers. Each is planned once per shape, plan = make_<op>(device, shape, type), and then
// run on views: plan->forward(views..., stream). A plan names the layouts that it wants; a view in another layout is
// refused with an Error. Forward and backward of one plan belong together. Gradients are written, never added to.
#pragma once

#include <cstdint>
#include <memory>

#include "kernels/step_numbers.hpp"
#include "kernels/view.hpp"

namespace lockstep::kernels {

// y = x W^T + b, then max(y, 0) if relu. All views are plain: x (rows, in), W (out, in), b (out), y (rows, out).
struct DenseShape {
  std::int64_t rows = 0;
  std::int64_t in = 0;
  std::int64_t out = 0;
  bool relu = false;
  bool bias = true;  // without one, no view is given for bias and dbias
};
class Dense {
 public:
  virtual ~Dense() = default;
  virtual void forward(ConstView x, ConstView weight, ConstView bias, View y, Stream& stream) = 0;
  // dy is the gradient before the ReLU: pass it through Relu::backward first.
  virtual void backward_data(ConstView dy, ConstView weight, View dx, Stream& stream) = 0;
  virtual void backward_weights(ConstView x, ConstView dy, View dweight, View dbias, Stream& stream) = 0;
};
std::unique_ptr<Dense> make_dense(Device& device, const DenseShape& shape, DataType type);

// Two-dimensional cross-correlation (what frameworks call convolution), then + b, then max(y, 0) if relu.
// out = (in + 2 * padding - kernel) / stride + 1, per axis.
struct Conv2dShape {
  std::int64_t batch = 0;
  std::int64_t in_channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t out_channels = 0;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  std::int64_t padding = 1;
  bool relu = false;
  bool x_is_data = false;  // nobody wants dx: backward_data is not planned, which leaves more choice for the rest
  std::int64_t out_height() const { return (height + 2 * padding - kernel) / stride + 1; }
  std::int64_t out_width() const { return (width + 2 * padding - kernel) / stride + 1; }
};
class Conv2d {
 public:
  // The weight (out_channels, in_channels, kernel, kernel) may be wanted in a different layout by each direction.
  struct Layouts {
    LayoutPtr x;                // of dx, too
    LayoutPtr y;                // of dy, too
    LayoutPtr weight;           // forward
    LayoutPtr weight_backward;  // backward_data; null if x_is_data
    LayoutPtr dweight;
    LayoutPtr bias;  // plain; of dbias, too
  };
  virtual ~Conv2d() = default;
  virtual const Layouts& layouts() const = 0;
  virtual void forward(ConstView x, ConstView weight, ConstView bias, View y, Stream& stream) = 0;
  virtual void backward_data(ConstView dy, ConstView weight, View dx, Stream& stream) = 0;
  virtual void backward_weights(ConstView x, ConstView dy, View dweight, View dbias, Stream& stream) = 0;
};
std::unique_ptr<Conv2d> make_conv2d(Device& device, const Conv2dShape& shape, DataType type);

// Maximum over kernel x kernel windows without padding; the last rows and columns that fill no window are left out.
// A tie goes to the window's first element in row-major order; dx is 0 elsewhere.
struct MaxPoolShape {
  LayoutPtr x;  // (batch, channels, height, width)
  std::int64_t kernel = 2;
  std::int64_t stride = 2;
};
class MaxPool {
 public:
  virtual ~MaxPool() = default;
  virtual const LayoutPtr& y() const = 0;           // of dy, too
  virtual std::size_t workspace_bytes() const = 0;  // forward leaves the winners there for backward
  virtual void forward(ConstView x, View y, void* workspace, Stream& stream) = 0;
  virtual void backward(ConstView dy, const void* workspace, View dx, Stream& stream) = 0;
};
std::unique_ptr<MaxPool> make_max_pool(Device& device, const MaxPoolShape& shape, DataType type);

// A convolution block: y = max(max_pool(conv2d(x, weight) + bias), 0), with a 3x3 kernel, stride 1, padding 1, and 2x2
// windows, two apart, as MaxPool has them. Height and width are at least 2.
struct PooledConv2dShape {
  std::int64_t batch = 0;
  std::int64_t in_channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t out_channels = 0;
  bool x_is_data = false;  // nobody wants dx: no view is given for it, nor for backward's weight
  std::int64_t out_height() const { return height / 2; }
  std::int64_t out_width() const { return width / 2; }
};
class PooledConv2d {
 public:
  virtual ~PooledConv2d() = default;
  virtual const Conv2d::Layouts& layouts() const = 0;  // y's is the pooled one
  virtual std::size_t workspace_bytes() const = 0;     // forward leaves the winners there for backward
  virtual void forward(ConstView x, ConstView weight, ConstView bias, View y, void* workspace, Stream& stream) = 0;
  // x and y are what forward got and gave.
  virtual void backward(ConstView x, ConstView y, ConstView dy, const void* workspace, ConstView weight, View dx,
                        View dweight, View dbias, Stream& stream) = 0;
};
std::unique_ptr<PooledConv2d> make_pooled_conv2d(Device& device, const PooledConv2dShape& shape, DataType type);

// y = max(x, 0); dx = dy where y > 0, else 0. Any layout, the same for all views. y may be x, dx may be dy.
class Relu {
 public:
  virtual ~Relu() = default;
  virtual void forward(ConstView x, View y, Stream& stream) = 0;
  virtual void backward(ConstView y, ConstView dy, View dx, Stream& stream) = 0;
};
std::unique_ptr<Relu> make_relu(Device& device, const LayoutPtr& layout, DataType type);

// y = x / (1 - rate) where kept, else 0. Whether an element is kept depends on the key and on its logical position
// alone: (first_sample + row, column). So a batch may be split over ranks or devices in any way. y may be x.
struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint32_t layer = 0;
  std::uint64_t step = 0;
  std::int64_t first_sample = 0;     // of row 0 in the global batch
  const StepNumbers* now = nullptr;  // device memory; where given, its step counts
};
class Dropout {
 public:
  virtual ~Dropout() = default;
  virtual void forward(ConstView x, View y, const DropoutKey& key, Stream& stream) = 0;
  virtual void backward(ConstView dy, View dx, const DropoutKey& key, Stream& stream) = 0;
};
// layout: plain (rows, columns). 0 <= rate < 1.
std::unique_ptr<Dropout> make_dropout(Device& device, const LayoutPtr& layout, float rate, DataType type);

// loss = -log softmax(logits)[label], natural logarithm; dlogits = (softmax(logits) - onehot(label)) * scale.
struct LossSums {
  double loss = 0;
  std::int64_t correct = 0;  // rows whose first largest logit is the label's
};
class SoftmaxCrossEntropy {
 public:
  virtual ~SoftmaxCrossEntropy() = default;
  // Adds to *sums (device memory). dlogits.data may be logits' or null (then only the sums are wanted). A NaN logit
  // makes the loss NaN. A label outside [0, classes) is undefined behaviour: data sets are checked when they are read.
  virtual void run(ConstView logits, const std::int32_t* labels, float scale, View dlogits, LossSums* sums,
                   Stream& stream) = 0;
};
std::unique_ptr<SoftmaxCrossEntropy> make_softmax_cross_entropy(Device& device, std::int64_t rows, std::int64_t classes,
                                                                DataType type);

}  // namespace lockstep::kernels
