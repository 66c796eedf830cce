#include "kernels/reference/reference.hpp"

namespace lockstep::kernels::reference {
namespace {

// Calls use(column row, output pixel, input element) for every product of one sample's convolution that meets the
// image.
template <class Use>
void for_each_tap(const Conv2dShape& s, Use use) {
  for (std::int64_t channel = 0; channel < s.in_channels; ++channel) {
    for (std::int64_t ky = 0; ky < s.kernel; ++ky) {
      for (std::int64_t kx = 0; kx < s.kernel; ++kx) {
        const std::int64_t tap = (channel * s.kernel + ky) * s.kernel + kx;
        for (std::int64_t oy = 0; oy < s.out_height(); ++oy) {
          for (std::int64_t ox = 0; ox < s.out_width(); ++ox) {
            const std::int64_t iy = oy * s.stride + ky - s.padding;
            const std::int64_t ix = ox * s.stride + kx - s.padding;
            if (iy < 0 || iy >= s.height || ix < 0 || ix >= s.width) continue;
            use(tap, oy * s.out_width() + ox, (channel * s.height + iy) * s.width + ix);
          }
        }
      }
    }
  }
}

Matrix columns_of(const Conv2dShape& s, const Matrix& x, std::int64_t sample) {
  Matrix columns = Matrix::Zero(s.in_channels * s.kernel * s.kernel, s.out_height() * s.out_width());
  for_each_tap(s, [&](auto tap, auto pixel, auto element) { columns(tap, pixel) = x(sample, element); });
  return columns;
}

Conv2dShape convolution_of(const PooledConv2dShape& s) {
  return {s.batch, s.in_channels, s.height, s.width, s.out_channels};
}
PoolSize pooling_of(const PooledConv2dShape& s) { return {s.out_channels, s.height, s.width}; }

using Rows = Eigen::Map<Matrix>;
using ConstRows = Eigen::Map<const Matrix>;

}  // namespace

Matrix dense(const Matrix& x, const Matrix& weight, const Vector& bias) {
  return (x * weight.transpose()).rowwise() + bias.transpose();
}

LayerGradients dense_backward(const Matrix& x, const Matrix& weight, const Matrix& dy) {
  return {dy * weight, dy.transpose() * x, dy.colwise().sum().transpose()};
}

Matrix conv2d(const Conv2dShape& s, const Matrix& x, const Matrix& weight, const Vector& bias) {
  const std::int64_t pixels = s.out_height() * s.out_width();
  Matrix y(s.batch, s.out_channels * pixels);
  for (std::int64_t sample = 0; sample < s.batch; ++sample) {
    Rows of_sample(&y(sample, 0), s.out_channels, pixels);
    of_sample = (weight * columns_of(s, x, sample)).colwise() + bias;
  }
  return y;
}

LayerGradients conv2d_backward(const Conv2dShape& s, const Matrix& x, const Matrix& weight, const Matrix& dy) {
  const std::int64_t pixels = s.out_height() * s.out_width();
  LayerGradients made{Matrix::Zero(x.rows(), x.cols()), Matrix::Zero(weight.rows(), weight.cols()),
                      Vector::Zero(s.out_channels)};
  for (std::int64_t sample = 0; sample < s.batch; ++sample) {
    const ConstRows of_sample(&dy(sample, 0), s.out_channels, pixels);
    made.dbias += of_sample.rowwise().sum();
    made.dweight += of_sample * columns_of(s, x, sample).transpose();
    const Matrix dcolumns = weight.transpose() * of_sample;
    for_each_tap(s, [&](auto tap, auto pixel, auto element) { made.dx(sample, element) += dcolumns(tap, pixel); });
  }
  return made;
}

Matrix pooled_conv2d(const PooledConv2dShape& s, const Matrix& x, const Matrix& weight, const Vector& bias) {
  return relu(max_pool(pooling_of(s), conv2d(convolution_of(s), x, weight, bias)));
}

LayerGradients pooled_conv2d_backward(const PooledConv2dShape& s, const Matrix& x, const Matrix& weight,
                                      const Vector& bias, const Matrix& dy) {
  const Matrix unpooled = conv2d(convolution_of(s), x, weight, bias);
  const Matrix of_pooled = relu_backward(relu(max_pool(pooling_of(s), unpooled)), dy);
  return conv2d_backward(convolution_of(s), x, weight, max_pool_backward(pooling_of(s), unpooled, of_pooled));
}

}  // namespace lockstep::kernels::reference
