// Each operation's arguments are looked at here, once for all back-ends; then the device's planner makes the plan.
#include "common/error.hpp"
#include "kernels/planner.hpp"

namespace lockstep::kernels {

// The one place that decides about data types.
static Planner& planner_for(Device& device, DataType type, const char* operation) {
  Planner& planner = device.planner();
  if (!planner.computes_in(type)) {
    throw failure("{}: the {} back-end does not compute in {}", operation,
                  device.kind() == DeviceKind::cpu ? "CPU" : "CUDA", name_of(type));
  }
  return planner;
}

// For operations that take a layout, whose type it must be.
static Planner& planner_for(Device& device, const Layout& layout, DataType type, const char* operation) {
  if (layout.type() != type) {
    throw failure("{}: planned for {} over a layout of {}", operation, name_of(type), name_of(layout.type()));
  }
  return planner_for(device, type, operation);
}

LayoutPtr make_plain_layout(Device& device, const Shape& shape, DataType type) {
  return planner_for(device, type, "a layout").plain_layout(shape, type);
}

std::unique_ptr<Reorder> make_reorder(Device& device, const LayoutPtr& from, const LayoutPtr& to) {
  return device.planner().reorder(from, to);
}

std::unique_ptr<Dense> make_dense(Device& device, const DenseShape& shape, DataType type) {
  if (shape.rows < 1 || shape.in < 1 || shape.out < 1) {
    throw bad_input("a dense layer needs rows, inputs and outputs, not {} x {} -> {}", shape.rows, shape.in, shape.out);
  }
  return planner_for(device, type, "dense").dense(shape, type);
}

std::unique_ptr<Conv2d> make_conv2d(Device& device, const Conv2dShape& shape, DataType type) {
  const bool sizes_are_positive = shape.batch > 0 && shape.in_channels > 0 && shape.height > 0 && shape.width > 0 &&
                                  shape.out_channels > 0 && shape.kernel > 0 && shape.stride > 0 && shape.padding >= 0;
  if (!sizes_are_positive || shape.height + 2 * shape.padding < shape.kernel ||
      shape.width + 2 * shape.padding < shape.kernel) {
    throw bad_input("a {}x{} convolution (stride {}, padding {}) does not fit an image of {}x{}", shape.kernel,
                    shape.kernel, shape.stride, shape.padding, shape.height, shape.width);
  }
  return planner_for(device, type, "conv2d").conv2d(shape, type);
}

std::unique_ptr<MaxPool> make_max_pool(Device& device, const MaxPoolShape& shape, DataType type) {
  const Shape& in = shape.x->shape();
  if (in.size() != 4 || shape.kernel < 1 || shape.stride < 1 || in[2] < shape.kernel || in[3] < shape.kernel) {
    throw bad_input("a {}x{} max-pooling does not fit its input", shape.kernel, shape.kernel);
  }
  return planner_for(device, *shape.x, type, "max_pool").max_pool(shape, type);
}

std::unique_ptr<PooledConv2d> make_pooled_conv2d(Device& device, const PooledConv2dShape& s, DataType type) {
  if (s.batch < 1 || s.in_channels < 1 || s.out_channels < 1 || s.height < 2 || s.width < 2) {
    throw bad_input("a pooled convolution needs images of 2x2 or more, not {} of {} x {}x{} -> {} channels", s.batch,
                    s.in_channels, s.height, s.width, s.out_channels);
  }
  return planner_for(device, type, "pooled_conv2d").pooled_conv2d(s, type);
}

std::unique_ptr<Relu> make_relu(Device& device, const LayoutPtr& layout, DataType type) {
  return planner_for(device, *layout, type, "relu").relu(layout, type);
}

std::unique_ptr<Dropout> make_dropout(Device& device, const LayoutPtr& layout, float rate, DataType type) {
  if (!(rate >= 0 && rate < 1)) throw bad_input("a dropout rate must be at least 0 and below 1, not {}", rate);
  if (!layout->plain() || layout->shape().size() != 2) {
    throw failure("dropout: the layout must be plain (rows, columns)");
  }
  return planner_for(device, *layout, type, "dropout").dropout(layout, rate, type);
}

std::unique_ptr<SoftmaxCrossEntropy> make_softmax_cross_entropy(Device& device, std::int64_t rows, std::int64_t classes,
                                                                DataType type) {
  if (rows < 1 || classes < 1) throw bad_input("a loss needs rows and classes, not {} x {}", rows, classes);
  return planner_for(device, type, "softmax_cross_entropy").softmax_cross_entropy(rows, classes, type);
}

std::unique_ptr<BiasGelu> make_bias_gelu(Device& device, std::int64_t rows, std::int64_t columns, DataType type) {
  if (rows < 1 || columns < 1) throw bad_input("a GELU needs rows and columns, not {} x {}", rows, columns);
  return planner_for(device, type, "bias_gelu").bias_gelu(rows, columns, type);
}

std::unique_ptr<ResidualLayerNorm> make_residual_layer_norm(Device& device, std::int64_t rows, std::int64_t columns,
                                                            DataType type) {
  if (rows < 1 || columns < 1) throw bad_input("a layer norm needs rows and columns, not {} x {}", rows, columns);
  return planner_for(device, type, "residual_layer_norm").residual_layer_norm(rows, columns, type);
}

std::unique_ptr<Embedding> make_embedding(Device& device, const EmbeddingShape& s, DataType type) {
  if (s.batch < 1 || s.length < 1 || s.vocabulary < 1 || s.columns < 1) {
    throw bad_input("an embedding needs a batch, a vocabulary and columns, not {} x {} of {}, {} columns", s.batch,
                    s.length, s.vocabulary, s.columns);
  }
  if (s.positions < s.length) {
    throw bad_input("an embedding of {} positions has no row for a sequence of {}", s.positions, s.length);
  }
  return planner_for(device, type, "embedding").embedding(s, type);
}

std::unique_ptr<Attention> make_attention(Device& device, const AttentionShape& s, DataType type) {
  if (s.batch < 1 || s.length < 1 || s.heads < 1 || s.head_size < 1) {
    throw bad_input("attention needs a batch and heads, not {} x {}, {} heads of {}", s.batch, s.length, s.heads,
                    s.head_size);
  }
  if (s.head_size > 128) throw bad_input("attention has heads of up to 128 numbers, not {}", s.head_size);
  return planner_for(device, type, "attention").attention(s, type);
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

std::unique_ptr<Cast> make_cast(Device& device) { return device.planner().cast(); }

}  // namespace lockstep::kernels
