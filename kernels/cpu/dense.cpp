// Dense layers as oneDNN matrix products over plain memory; a transposed operand is a descriptor with other strides.
#include "kernels/cpu/layout.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/operations.hpp"
#include "kernels/cpu/primitive.hpp"

namespace lockstep::kernels::cpu {
namespace {

using dnnl::matmul;
using dnnl::memory;

memory::desc transposed(std::int64_t rows, std::int64_t columns) {
  return {{columns, rows}, memory::data_type::f32, memory::dims{1, columns}};
}

Primitive product(CpuDevice& device, const memory::desc& a, const memory::desc& b, const memory::desc& c,
                  bool relu = false) {
  const matmul::primitive_desc pd(matmul::desc(a, b, c), attributes(relu), device.engine());
  return {device, matmul(pd), pd.scratchpad_desc(), {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}}};
}

class CpuDense : public Dense {
 public:
  CpuDense(CpuDevice& device, const DenseShape& s)
      : shape_(s),
        x_(make_plain_layout({s.rows, s.in})),
        y_(make_plain_layout({s.rows, s.out})),
        weight_(make_plain_layout({s.out, s.in})),
        bias_(make_plain_layout({s.out})) {
    plan(device, "a dense layer", [&] {
      if (s.bias) {
        const memory::desc bias_row = plain_desc({1, s.out});
        const matmul::primitive_desc pd(matmul::desc(desc_of(*x_), transposed(s.out, s.in), bias_row, desc_of(*y_)),
                                        attributes(s.relu), device.engine());
        forward_ = Primitive(device, matmul(pd), pd.scratchpad_desc(),
                             {{DNNL_ARG_SRC, desc_of(*x_)},
                              {DNNL_ARG_WEIGHTS, transposed(s.out, s.in)},
                              {DNNL_ARG_BIAS, bias_row},
                              {DNNL_ARG_DST, desc_of(*y_)}});
      } else {
        forward_ = product(device, desc_of(*x_), transposed(s.out, s.in), desc_of(*y_), s.relu);
      }
      backward_data_ = product(device, desc_of(*y_), desc_of(*weight_), desc_of(*x_));
      backward_weights_ = product(device, transposed(s.rows, s.out), desc_of(*x_), desc_of(*weight_));
    });
  }

  void forward(ConstView x, ConstView weight, ConstView bias, View y, Stream& stream) override {
    expect(x, x_, "dense forward: x");
    expect(weight, weight_, "dense forward: weight");
    expect(y, y_, "dense forward: y");
    if (!shape_.bias) {
      forward_.run(stream, {{DNNL_ARG_SRC, x.data}, {DNNL_ARG_WEIGHTS, weight.data}, {DNNL_ARG_DST, y.data}});
      return;
    }
    expect(bias, bias_, "dense forward: bias");
    forward_.run(
        stream,
        {{DNNL_ARG_SRC, x.data}, {DNNL_ARG_WEIGHTS, weight.data}, {DNNL_ARG_BIAS, bias.data}, {DNNL_ARG_DST, y.data}});
  }

  void backward_data(ConstView dy, ConstView weight, View dx, Stream& stream) override {
    expect(dy, y_, "dense backward_data: dy");
    expect(weight, weight_, "dense backward_data: weight");
    expect(dx, x_, "dense backward_data: dx");
    backward_data_.run(stream, {{DNNL_ARG_SRC, dy.data}, {DNNL_ARG_WEIGHTS, weight.data}, {DNNL_ARG_DST, dx.data}});
  }

  void backward_weights(ConstView x, ConstView dy, View dweight, View dbias, Stream& stream) override {
    expect(x, x_, "dense backward_weights: x");
    expect(dy, y_, "dense backward_weights: dy");
    expect(dweight, weight_, "dense backward_weights: dweight");
    backward_weights_.run(stream, {{DNNL_ARG_SRC, dy.data}, {DNNL_ARG_WEIGHTS, x.data}, {DNNL_ARG_DST, dweight.data}});
    if (!shape_.bias) return;
    expect(dbias, bias_, "dense backward_weights: dbias");
    sum_rows(dy.f32(), shape_.rows, shape_.out, dbias.f32());
  }

 private:
  DenseShape shape_;
  LayoutPtr x_;
  LayoutPtr y_;
  LayoutPtr weight_;
  LayoutPtr bias_;
  Primitive forward_;
  Primitive backward_data_;
  Primitive backward_weights_;
};

}  // namespace

std::unique_ptr<Dense> make_dense(CpuDevice& device, const DenseShape& shape) {
  return std::make_unique<CpuDense>(device, shape);
}

}  // namespace lockstep::kernels::cpu
