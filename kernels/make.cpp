// Each operation's arguments are looked at here, once for all back-ends; then the device's planner makes the plan.
#include "common/error.hpp"
#include "kernels/planner.hpp"

namespace lockstep::kernels {

LayoutPtr make_plain_layout(Device& device, const Shape& shape, DataType type) {
  return device.planner().plain_layout(shape, type);
}

std::unique_ptr<Reorder> make_reorder(Device& device, const LayoutPtr& from, const LayoutPtr& to) {
  return device.planner().reorder(from, to);
}

std::unique_ptr<Dense> make_dense(Device& device, const DenseShape& shape, DataType type) {
  if (shape.rows < 1 || shape.in < 1 || shape.out < 1) {
    throw bad_input("a dense layer needs rows, inputs and outputs, not {} x {} -> {}", shape.rows, shape.in, shape.out);
  }
  return device.planner().dense(shape, type);
}

std::unique_ptr<Conv2d> make_conv2d(Device& device, const Conv2dShape& shape, DataType type) {
  const bool sizes_are_positive = shape.batch > 0 && shape.in_channels > 0 && shape.height > 0 && shape.width > 0 &&
                                  shape.out_channels > 0 && shape.kernel > 0 && shape.stride > 0 && shape.padding >= 0;
  if (!sizes_are_positive || shape.height + 2 * shape.padding < shape.kernel ||
      shape.width + 2 * shape.padding < shape.kernel) {
    throw bad_input("a {}x{} convolution (stride {}, padding {}) does not fit an image of {}x{}", shape.kernel,
                    shape.kernel, shape.stride, shape.padding, shape.height, shape.width);
  }
  return device.planner().conv2d(shape, type);
}

std::unique_ptr<MaxPool> make_max_pool(Device& device, const MaxPoolShape& shape, DataType type) {
  const Shape& in = shape.x->shape();
  if (in.size() != 4 || shape.kernel < 1 || shape.stride < 1 || in[2] < shape.kernel || in[3] < shape.kernel) {
    throw bad_input("a {}x{} max-pooling does not fit its input", shape.kernel, shape.kernel);
  }
  return device.planner().max_pool(shape, type);
}

std::unique_ptr<Relu> make_relu(Device& device, const LayoutPtr& layout, DataType type) {
  return device.planner().relu(layout, type);
}

std::unique_ptr<Dropout> make_dropout(Device& device, const LayoutPtr& layout, float rate, DataType type) {
  if (!(rate >= 0 && rate < 1)) throw bad_input("a dropout rate must be at least 0 and below 1, not {}", rate);
  if (!layout->plain() || layout->shape().size() != 2) {
    throw failure("dropout: the layout must be plain (rows, columns)");
  }
  return device.planner().dropout(layout, rate, type);
}

std::unique_ptr<SoftmaxCrossEntropy> make_softmax_cross_entropy(Device& device, std::int64_t rows, std::int64_t classes,
                                                                DataType type) {
  if (rows < 1 || classes < 1) throw bad_input("a loss needs rows and classes, not {} x {}", rows, classes);
  return device.planner().softmax_cross_entropy(rows, classes, type);
}

static void check_ranges(const std::vector<ParameterRange>& ranges) {
  std::size_t end = 0;
  for (const ParameterRange& range : ranges) {
    if (range.begin < end || range.end < range.begin) throw failure("an optimizer's ranges must ascend");
    end = range.end;
  }
}

std::unique_ptr<Sgd> make_sgd(Device& device, std::vector<ParameterRange> ranges) {
  check_ranges(ranges);
  return device.planner().sgd(std::move(ranges));
}

std::unique_ptr<AdamW> make_adamw(Device& device, std::vector<ParameterRange> ranges) {
  check_ranges(ranges);
  return device.planner().adamw(std::move(ranges));
}

std::unique_ptr<ArenaMath> make_arena_math(Device& device) { return device.planner().arena_math(); }

}  // namespace lockstep::kernels
