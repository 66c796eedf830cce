// y = gelu(x + bias) with the tanh approximation, and its gradient (formulas in kernels/transformer.hpp), rows of any
// length. As gelu(u) = u * s with s = 1 / (1 + exp(-2 z)), which is (1 + tanh(z)) / 2: small results keep their
// relative precision. The bias' gradient is ColumnSums' over dx.
// Traffic: forward x and y (8 bytes an element in float32), backward x, dy, dx (12), and dx once more for dbias. Each
// row asks for the bias, too: 4 more an element, from the caches after the first. Rows that are no whole packs go one
// element at a time: a warp's run of the bias begins anywhere within sectors and touches one more than it fills, which
// is another byte an element.
#include <cmath>

#include "kernels/cuda/column_sums.hpp"
#include "kernels/cuda/elementwise.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/make_for.hpp"
#include "kernels/cuda/operations.hpp"

namespace lockstep::kernels::cuda {
namespace {

constexpr float root = 0.7978845608F;  // sqrt(2 / pi)
constexpr float cubic = 0.044715F;

struct Gate {
  float e;  // exp(-2 |z|)
  float s;  // 1 / (1 + exp(-2 z))
};
__device__ Gate gate_of(float u) {
  const float z = root * (u + cubic * u * u * u);
  const float e = expf(-2 * fabsf(z));
  return {e, (z < 0 ? e : 1) / (1 + e)};
}
__device__ float gelu(float u) { return u * gate_of(u).s; }
// s + u * s (1 - s) * 2 z'. Where e is 0, s (1 - s) is, however large z' has become.
__device__ float gelu_slope(float u) {
  const Gate gate = gate_of(u);
  const float bend = u * (gate.e / ((1 + gate.e) * (1 + gate.e))) * (2 * root * (1 + 3 * cubic * u * u));
  return gate.s + (gate.e == 0 ? 0 : bend);
}

// Calls use(pack of the matrix, pack of its row) for the packs of all rows that are this thread's.
template <class Use>
__device__ void for_packs(std::int64_t packs, std::int64_t packs_of_row, Use use) {
  const std::int64_t stride = threads_of_grid();
  const std::int64_t step = stride % packs_of_row;
  std::int64_t column = thread_of_grid() % packs_of_row;
  for (std::int64_t i = thread_of_grid(); i < packs; i += stride) {
    use(i, column);
    column += step;
    if (column >= packs_of_row) column -= packs_of_row;
  }
}

template <class T, int n>
__global__ void bias_gelu_forward(const T* x, const T* bias, T* y, std::int64_t packs, std::int64_t packs_of_row) {
  for_packs(packs, packs_of_row, [&](std::int64_t i, std::int64_t column) {
    const Pack<T, n> in = pack_at<n>(x, i);
    const Pack<T, n> add = pack_at<n>(bias, column);
    Pack<T, n> out;
    for (int k = 0; k < n; ++k) out.value[k] = rounded<T>(gelu(widened(in.value[k]) + widened(add.value[k])));
    put_pack<n>(y, i, out);
  });
}

template <class T, int n>
__global__ void bias_gelu_backward(const T* x, const T* bias, const T* dy, T* dx, std::int64_t packs,
                                   std::int64_t packs_of_row) {
  for_packs(packs, packs_of_row, [&](std::int64_t i, std::int64_t column) {
    const Pack<T, n> in = pack_at<n>(x, i);
    const Pack<T, n> add = pack_at<n>(bias, column);
    Pack<T, n> out = pack_at<n>(dy, i);
    for (int k = 0; k < n; ++k) {
      const float slope = gelu_slope(widened(in.value[k]) + widened(add.value[k]));
      out.value[k] = rounded<T>(widened(out.value[k]) * slope);
    }
    put_pack<n>(dx, i, out);
  });
}

template <class T>
class CudaBiasGelu : public BiasGelu {
 public:
  CudaBiasGelu(CudaDevice& device, std::int64_t rows, std::int64_t columns, DataType type)
      : device_(device),
        columns_(columns),
        x_(make_layout({rows, columns}, type)),
        bias_(make_layout({columns}, type)),
        bias_gradient_(device, rows, columns) {}

  void forward(ConstView x, ConstView bias, View y, Stream& stream) override {
    expect(x, x_, "bias_gelu forward: x");
    expect(bias, bias_, "bias_gelu forward: bias");
    expect(y, x_, "bias_gelu forward: y");
    const bool whole = rows_in_packs(columns_, x.as<T>(), bias.as<T>(), y.as<T>());
    const int n = whole ? whole_pack<T> : 1;
    launch(how("bias_gelu_forward", n, stream), whole ? bias_gelu_forward<T, whole_pack<T>> : bias_gelu_forward<T, 1>,
           x.as<T>(), bias.as<T>(), y.as<T>(), x_->elements() / n, columns_ / n);
  }

  void backward(ConstView x, ConstView bias, ConstView dy, View dx, View dbias, Stream& stream) override {
    expect(x, x_, "bias_gelu backward: x");
    expect(bias, bias_, "bias_gelu backward: bias");
    expect(dy, x_, "bias_gelu backward: dy");
    expect(dx, x_, "bias_gelu backward: dx");
    expect(dbias, bias_, "bias_gelu backward: dbias");
    const bool whole = rows_in_packs(columns_, x.as<T>(), bias.as<T>(), dy.as<T>(), dx.as<T>());
    const int n = whole ? whole_pack<T> : 1;
    launch(how("bias_gelu_backward", n, stream),
           whole ? bias_gelu_backward<T, whole_pack<T>> : bias_gelu_backward<T, 1>, x.as<T>(), bias.as<T>(), dy.as<T>(),
           dx.as<T>(), x_->elements() / n, columns_ / n);
    bias_gradient_.run(dx.as<T>(), dbias.as<T>(), stream);
  }

 private:
  Launch how(const char* kernel, int n, Stream& stream) const {
    return elementwise_launch(kernel, device_, {x_->elements(), x_->elements() / n}, stream);
  }

  CudaDevice& device_;
  std::int64_t columns_;
  LayoutPtr x_;
  LayoutPtr bias_;
  ColumnSums bias_gradient_;
};

}  // namespace

std::unique_ptr<BiasGelu> make_bias_gelu(CudaDevice& device, std::int64_t rows, std::int64_t columns, DataType type) {
  return make_for<BiasGelu, CudaBiasGelu>(type, device, rows, columns, type);
}

}  // namespace lockstep::kernels::cuda
