// Convolutions by oneDNN in the layouts that it chooses (blocked by channels). The algorithm is ours to choose, by the
// shape of one image alone: oneDNN would look at the batch size, too, and then one rank with 256 samples would round
// otherwise than two with 128. Winograd's only where it is asked for: oneDNN cuts its sums by the sizes of the caches.
// docs/kernels.md has the figures.
#include <optional>
#include <string_view>

#include "common/error.hpp"
#include "kernels/cpu/layout.hpp"
#include "kernels/cpu/operations.hpp"
#include "kernels/cpu/primitive.hpp"

namespace lockstep::kernels::cpu {
namespace {

using dnnl::convolution_backward_data;
using dnnl::convolution_backward_weights;
using dnnl::convolution_forward;
using dnnl::memory;

// All directions of one convolution, agreeing on the layouts of x and y.
struct Directions {
  convolution_forward::primitive_desc forward;
  convolution_backward_data::primitive_desc data;  // empty if x_is_data
  convolution_backward_weights::primitive_desc weights;
};

// oneDNN's reference loops are thousands of times slower than the rest: never wanted.
template <class PrimitiveDesc>
bool usable(const PrimitiveDesc& pd) {
  return pd && !std::string_view(pd.impl_info_str()).starts_with("ref");
}

// Winograd's F(4x4, 3x3) (Lavin and Gray 2016) needs four times fewer products; below a block of channels its
// transforms cost more than that saves.
bool winograd_pays(const Conv2dShape& s) {
  return s.kernel == 3 && s.stride == 1 && s.in_channels >= 16 && s.out_channels >= 16;
}

// What oneDNN offers for an algorithm when x or y must be plain, or may be anything. Empty if a direction has no usable
// implementation.
std::optional<Directions> offer(const dnnl::engine& engine, const Conv2dShape& s, dnnl::algorithm algorithm,
                                bool plain_x, bool plain_y) {
  const auto any = [](const memory::dims& dims, bool plain = false) {
    return plain ? plain_desc(dims) : memory::desc(dims, memory::data_type::f32, memory::format_tag::any);
  };
  constexpr bool or_empty = true;
  const memory::dims stride{s.stride, s.stride};
  const memory::dims padding{s.padding, s.padding};
  const memory::desc weight = any({s.out_channels, s.in_channels, s.kernel, s.kernel});
  const memory::desc bias = plain_desc({s.out_channels});
  Directions made;
  made.forward = {
      {dnnl::prop_kind::forward_training, algorithm, any({s.batch, s.in_channels, s.height, s.width}, plain_x), weight,
       bias, any({s.batch, s.out_channels, s.out_height(), s.out_width()}, plain_y), stride, padding, padding},
      attributes(s.relu),
      engine,
      or_empty};
  if (!usable(made.forward)) return std::nullopt;
  const memory::desc x = made.forward.src_desc();
  const memory::desc y = made.forward.dst_desc();
  if (!s.x_is_data) {
    made.data = {{algorithm, x, weight, y, stride, padding, padding}, attributes(), engine, made.forward, or_empty};
    if (!usable(made.data)) return std::nullopt;
  }
  made.weights = {
      {algorithm, x, weight, bias, y, stride, padding, padding}, attributes(), engine, made.forward, or_empty};
  if (!usable(made.weights)) return std::nullopt;
  return made;
}

Directions choose(const CpuDevice& device, const Conv2dShape& s) {
  const dnnl::engine& engine = device.engine();
  constexpr auto direct = dnnl::algorithm::convolution_direct;
  constexpr auto winograd = dnnl::algorithm::convolution_winograd;
  // One to three channels of data: plain is six times faster than padding them to a block.
  if (s.x_is_data && s.in_channels <= 3) {
    if (auto made = offer(engine, s, direct, true, false)) return *made;
  }
  if (device.winograd() && winograd_pays(s)) {
    if (auto made = offer(engine, s, winograd, false, false)) return *made;
  }
  if (auto made = offer(engine, s, direct, false, false)) return *made;
  // Plain on both sides is im2col and a matrix product, which always exists.
  if (auto made = offer(engine, s, direct, true, true)) return *made;
  throw failure("oneDNN has no {}x{} convolution of {} -> {} channels for this machine", s.kernel, s.kernel,
                s.in_channels, s.out_channels);
}

class CpuConv2d : public Conv2d {
 public:
  CpuConv2d(CpuDevice& device, const Conv2dShape& s) {
    plan(device, "a convolution", [&] { make(device, s); });
  }

  const Layouts& layouts() const override { return layouts_; }

  void forward(ConstView x, ConstView weight, ConstView bias, View y, Stream& stream) override {
    expect(x, layouts_.x, "conv2d forward: x");
    expect(weight, layouts_.weight, "conv2d forward: weight");
    expect(bias, layouts_.bias, "conv2d forward: bias");
    expect(y, layouts_.y, "conv2d forward: y");
    forward_.run(
        stream,
        {{DNNL_ARG_SRC, x.data}, {DNNL_ARG_WEIGHTS, weight.data}, {DNNL_ARG_BIAS, bias.data}, {DNNL_ARG_DST, y.data}});
  }

  void backward_data(ConstView dy, ConstView weight, View dx, Stream& stream) override {
    if (!layouts_.weight_backward) throw failure("conv2d backward_data: planned for data, which has no gradient");
    expect(dy, layouts_.y, "conv2d backward_data: dy");
    expect(weight, layouts_.weight_backward, "conv2d backward_data: weight");
    expect(dx, layouts_.x, "conv2d backward_data: dx");
    backward_data_.run(stream,
                       {{DNNL_ARG_DIFF_DST, dy.data}, {DNNL_ARG_WEIGHTS, weight.data}, {DNNL_ARG_DIFF_SRC, dx.data}});
  }

  void backward_weights(ConstView x, ConstView dy, View dweight, View dbias, Stream& stream) override {
    expect(x, layouts_.x, "conv2d backward_weights: x");
    expect(dy, layouts_.y, "conv2d backward_weights: dy");
    expect(dweight, layouts_.dweight, "conv2d backward_weights: dweight");
    expect(dbias, layouts_.bias, "conv2d backward_weights: dbias");
    backward_weights_.run(stream, {{DNNL_ARG_SRC, x.data},
                                   {DNNL_ARG_DIFF_DST, dy.data},
                                   {DNNL_ARG_DIFF_WEIGHTS, dweight.data},
                                   {DNNL_ARG_DIFF_BIAS, dbias.data}});
  }

 private:
  void make(CpuDevice& device, const Conv2dShape& s) {
    const auto [forward, data, weights] = choose(device, s);
    const memory::desc x = forward.src_desc();
    const memory::desc y = forward.dst_desc();
    const memory::desc bias = plain_desc({s.out_channels});
    layouts_ = {make_layout(x),
                make_layout(y),
                make_layout(forward.weights_desc()),
                nullptr,
                make_layout(weights.diff_weights_desc()),
                make_layout(bias)};
    forward_ = Primitive(
        device, convolution_forward(forward), forward.scratchpad_desc(),
        {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, forward.weights_desc()}, {DNNL_ARG_BIAS, bias}, {DNNL_ARG_DST, y}});
    backward_weights_ = Primitive(device, convolution_backward_weights(weights), weights.scratchpad_desc(),
                                  {{DNNL_ARG_SRC, x},
                                   {DNNL_ARG_DIFF_DST, y},
                                   {DNNL_ARG_DIFF_WEIGHTS, weights.diff_weights_desc()},
                                   {DNNL_ARG_DIFF_BIAS, bias}});
    if (s.x_is_data) return;
    layouts_.weight_backward = make_layout(data.weights_desc());
    backward_data_ =
        Primitive(device, convolution_backward_data(data), data.scratchpad_desc(),
                  {{DNNL_ARG_DIFF_DST, y}, {DNNL_ARG_WEIGHTS, data.weights_desc()}, {DNNL_ARG_DIFF_SRC, x}});
  }

  Layouts layouts_;
  Primitive forward_;
  Primitive backward_data_;
  Primitive backward_weights_;
};

}  // namespace

std::unique_ptr<Conv2d> make_conv2d(CpuDevice& device, const Conv2dShape& shape) {
  return std::make_unique<CpuConv2d>(device, shape);
}

}  // namespace lockstep::kernels::cpu
