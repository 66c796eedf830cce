// Dense layers: three matrix products, and column sums for the bias.
#include "kernels/cuda/column_sums.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/make_for.hpp"
#include "kernels/cuda/matmul.hpp"
#include "kernels/cuda/operations.hpp"

namespace lockstep::kernels::cuda {
namespace {

template <class T>
class CudaDense : public Dense {
 public:
  CudaDense(CudaDevice& device, const DenseShape& s, DataType type)
      : shape_(s),
        x_(make_layout({s.rows, s.in}, type)),
        y_(make_layout({s.rows, s.out}, type)),
        weight_(make_layout({s.out, s.in}, type)),
        bias_(make_layout({s.out}, type)),
        forward_(device, {type, s.rows, s.out, s.in, false, true, epilogue_of(s.bias, s.relu)}),
        backward_data_(device, {type, s.rows, s.in, s.out}),
        backward_weights_(device, {type, s.out, s.in, s.rows, true}),
        bias_gradient_(device, s.rows, s.out) {}

  void forward(ConstView x, ConstView weight, ConstView bias, View y, Stream& stream) override {
    expect(x, x_, "dense forward: x");
    expect(weight, weight_, "dense forward: weight");
    if (shape_.bias) expect(bias, bias_, "dense forward: bias");
    expect(y, y_, "dense forward: y");
    forward_.run(x.data, weight.data, bias.data, y.data, stream);
  }

  void backward_data(ConstView dy, ConstView weight, View dx, Stream& stream) override {
    expect(dy, y_, "dense backward_data: dy");
    expect(weight, weight_, "dense backward_data: weight");
    expect(dx, x_, "dense backward_data: dx");
    backward_data_.run(dy.data, weight.data, nullptr, dx.data, stream);
  }

  void backward_weights(ConstView x, ConstView dy, View dweight, View dbias, Stream& stream) override {
    expect(x, x_, "dense backward_weights: x");
    expect(dy, y_, "dense backward_weights: dy");
    expect(dweight, weight_, "dense backward_weights: dweight");
    if (shape_.bias) expect(dbias, bias_, "dense backward_weights: dbias");
    backward_weights_.run(dy.data, x.data, nullptr, dweight.data, stream);
    if (shape_.bias) bias_gradient_.run(dy.as<T>(), dbias.as<T>(), stream);
  }

 private:
  DenseShape shape_;
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

std::unique_ptr<Dense> make_dense(CudaDevice& device, const DenseShape& shape, DataType type) {
  return make_for<Dense, CudaDense>(type, device, shape, type);
}

}  // namespace lockstep::kernels::cuda
