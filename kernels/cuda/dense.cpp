// Dense layers: three matrix products, and column sums for the bias.
#include "kernels/cuda/column_sums.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/matmul.hpp"
#include "kernels/cuda/operations.hpp"

namespace lockstep::kernels::cuda {
namespace {

class CudaDense : public Dense {
 public:
  CudaDense(CudaDevice& device, const DenseShape& s)
      : x_(make_layout({s.rows, s.in})),
        y_(make_layout({s.rows, s.out})),
        weight_(make_layout({s.out, s.in})),
        bias_(make_layout({s.out})),
        forward_(device, {s.rows, s.out, s.in, false, true, s.relu ? Epilogue::bias_relu : Epilogue::bias}),
        backward_data_(device, {s.rows, s.in, s.out}),
        backward_weights_(device, {s.out, s.in, s.rows, true}),
        bias_gradient_(device, s.rows, s.out) {}

  void forward(ConstView x, ConstView weight, ConstView bias, View y, Stream& stream) override {
    expect(x, x_, "dense forward: x");
    expect(weight, weight_, "dense forward: weight");
    expect(bias, bias_, "dense forward: bias");
    expect(y, y_, "dense forward: y");
    forward_.run(x.f32(), weight.f32(), bias.f32(), y.f32(), stream);
  }

  void backward_data(ConstView dy, ConstView weight, View dx, Stream& stream) override {
    expect(dy, y_, "dense backward_data: dy");
    expect(weight, weight_, "dense backward_data: weight");
    expect(dx, x_, "dense backward_data: dx");
    backward_data_.run(dy.f32(), weight.f32(), nullptr, dx.f32(), stream);
  }

  void backward_weights(ConstView x, ConstView dy, View dweight, View dbias, Stream& stream) override {
    expect(x, x_, "dense backward_weights: x");
    expect(dy, y_, "dense backward_weights: dy");
    expect(dweight, weight_, "dense backward_weights: dweight");
    expect(dbias, bias_, "dense backward_weights: dbias");
    backward_weights_.run(dy.f32(), x.f32(), nullptr, dweight.f32(), stream);
    bias_gradient_.run(dy.f32(), dbias.f32(), stream);
  }

 private:
  LayoutPtr x_;
  LayoutPtr y_;
  LayoutPtr weight_;
  LayoutPtr bias_;
  Matmul forward_;
  Matmul backward_data_;
  Matmul backward_weights_;
  ColumnSums bias_gradient_;
};

}  // namespace

std::unique_ptr<Dense> make_dense(CudaDevice& device, const DenseShape& shape) {
  return std::make_unique<CudaDense>(device, shape);
}

}  // namespace lockstep::kernels::cuda
