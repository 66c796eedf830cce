// Max-pooling by oneDNN in the layout of its input; oneDNN refers to elements by their logical place in the window.
#include "kernels/cpu/layout.hpp"
#include "kernels/cpu/operations.hpp"
#include "kernels/cpu/primitive.hpp"

namespace lockstep::kernels::cpu {
namespace {

using dnnl::memory;
using dnnl::pooling_backward;
using dnnl::pooling_forward;

class CpuMaxPool : public MaxPool {
 public:
  CpuMaxPool(CpuDevice& device, const MaxPoolShape& s) : x_(s.x) {
    plan(device, "a max-pooling", [&] { make(device, s); });
  }

  const LayoutPtr& y() const override { return y_; }
  std::size_t workspace_bytes() const override { return workspace_bytes_; }

  void forward(ConstView x, View y, void* workspace, Stream& stream) override {
    expect(x, x_, "max_pool forward: x");
    expect(y, y_, "max_pool forward: y");
    forward_.run(stream, {{DNNL_ARG_SRC, x.data}, {DNNL_ARG_DST, y.data}, {DNNL_ARG_WORKSPACE, workspace}});
  }

  void backward(ConstView dy, const void* workspace, View dx, Stream& stream) override {
    expect(dy, y_, "max_pool backward: dy");
    expect(dx, x_, "max_pool backward: dx");
    backward_.run(stream,
                  {{DNNL_ARG_DIFF_DST, dy.data}, {DNNL_ARG_WORKSPACE, workspace}, {DNNL_ARG_DIFF_SRC, dx.data}});
  }

 private:
  void make(CpuDevice& device, const MaxPoolShape& s) {
    const Shape& in = s.x->shape();
    const memory::desc x = desc_of(*s.x);
    const memory::dims kernel{s.kernel, s.kernel};
    const memory::dims stride{s.stride, s.stride};
    const memory::dims none{0, 0};
    const memory::desc any_y({in[0], in[1], (in[2] - s.kernel) / s.stride + 1, (in[3] - s.kernel) / s.stride + 1},
                             memory::data_type::f32, memory::format_tag::any);
    const auto max = dnnl::algorithm::pooling_max;
    const pooling_forward::primitive_desc forward(
        {dnnl::prop_kind::forward_training, max, x, any_y, stride, kernel, none, none}, attributes(), device.engine());
    const memory::desc y = forward.dst_desc();
    const pooling_backward::primitive_desc backward({max, x, y, stride, kernel, none, none}, attributes(),
                                                    device.engine(), forward);
    y_ = make_layout(y);
    workspace_bytes_ = forward.workspace_desc().get_size();
    forward_ = Primitive(device, pooling_forward(forward), forward.scratchpad_desc(),
                         {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}, {DNNL_ARG_WORKSPACE, forward.workspace_desc()}});
    backward_ =
        Primitive(device, pooling_backward(backward), backward.scratchpad_desc(),
                  {{DNNL_ARG_DIFF_DST, y}, {DNNL_ARG_WORKSPACE, forward.workspace_desc()}, {DNNL_ARG_DIFF_SRC, x}});
  }

  LayoutPtr x_;
  LayoutPtr y_;
  std::size_t workspace_bytes_ = 0;
  Primitive forward_;
  Primitive backward_;
};

}  // namespace

std::unique_ptr<MaxPool> make_max_pool(CpuDevice& device, const MaxPoolShape& shape) {
  return std::make_unique<CpuMaxPool>(device, shape);
}

}  // namespace lockstep::kernels::cpu
