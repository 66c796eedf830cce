#include <cmath>

#include "kernels/philox.hpp"
#include "kernels/reference/reference.hpp"

namespace lockstep::kernels::reference {
namespace {

// Calls use(output element, index of the window's first largest input element) for every window of one sample.
template <class Use>
void for_each_winner(const PoolSize& s, const Matrix& x, std::int64_t sample, Use use) {
  const std::int64_t out_height = (s.height - s.kernel) / s.stride + 1;
  const std::int64_t out_width = (s.width - s.kernel) / s.stride + 1;
  for (std::int64_t window = 0; window < s.channels * out_height * out_width; ++window) {
    const std::int64_t channel = window / (out_height * out_width);
    const std::int64_t top = window / out_width % out_height * s.stride;
    const std::int64_t left = window % out_width * s.stride;
    std::int64_t winner = (channel * s.height + top) * s.width + left;
    for (std::int64_t tap = 0; tap < s.kernel * s.kernel; ++tap) {
      const std::int64_t element = (channel * s.height + top + tap / s.kernel) * s.width + left + tap % s.kernel;
      if (x(sample, element) > x(sample, winner)) winner = element;
    }
    use(window, winner);
  }
}

}  // namespace

Matrix max_pool(const PoolSize& s, const Matrix& x) {
  const std::int64_t windows =
      s.channels * ((s.height - s.kernel) / s.stride + 1) * ((s.width - s.kernel) / s.stride + 1);
  Matrix y(x.rows(), windows);
  for (std::int64_t sample = 0; sample < x.rows(); ++sample) {
    for_each_winner(s, x, sample, [&](auto window, auto winner) { y(sample, window) = x(sample, winner); });
  }
  return y;
}

Matrix max_pool_backward(const PoolSize& s, const Matrix& x, const Matrix& dy) {
  Matrix dx = Matrix::Zero(x.rows(), x.cols());
  for (std::int64_t sample = 0; sample < x.rows(); ++sample) {
    for_each_winner(s, x, sample, [&](auto window, auto winner) { dx(sample, winner) += dy(sample, window); });
  }
  return dx;
}

Matrix relu(const Matrix& x) { return x.cwiseMax(0.0); }

Matrix relu_backward(const Matrix& y, const Matrix& dy) { return (y.array() > 0).select(dy, 0.0); }

Matrix dropout_factors(std::int64_t rows, std::int64_t columns, double rate, const DropoutKey& key) {
  Matrix factors(rows, columns);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      const PhiloxCounter counter = {
          static_cast<std::uint32_t>(column / 4), static_cast<std::uint32_t>(key.first_sample + row),
          static_cast<std::uint32_t>(key.step), key.layer + static_cast<std::uint32_t>(key.step >> 32U) * 0x10000U};
      const std::uint32_t word = philox4x32(counter, philox_key(key.seed, RandomPurpose::dropout))[column % 4];
      const bool kept = static_cast<double>(word) >= std::floor(rate * 0x1p32);
      factors(row, column) = kept ? 1 / (1 - rate) : 0;
    }
  }
  return factors;
}

CrossEntropy softmax_cross_entropy(const Matrix& logits, const std::vector<std::int32_t>& labels, double scale) {
  CrossEntropy made;
  made.dlogits.resize(logits.rows(), logits.cols());
  for (std::int64_t row = 0; row < logits.rows(); ++row) {
    const std::int32_t label = labels[static_cast<std::size_t>(row)];
    Eigen::Index largest = 0;
    const double maximum = logits.row(row).maxCoeff(&largest);
    const Eigen::RowVectorXd e = (logits.row(row).array() - maximum).exp();
    made.loss += std::log(e.sum()) - (logits(row, label) - maximum);
    made.correct += largest == label ? 1 : 0;
    made.dlogits.row(row) = e / e.sum() * scale;
    made.dlogits(row, label) -= scale;
  }
  return made;
}

void sgd(Vector& p, const Vector& g, Vector& v, const SgdStep& step, bool decay) {
  v = double{step.momentum} * v + double{step.gradient_scale} * g + (decay ? double{step.weight_decay} : 0.0) * p;
  p -= double{step.learning_rate} * v;
}

void adamw(Vector& p, const Vector& g, Vector& m, Vector& v, const AdamWStep& step, bool decay) {
  const Vector scaled = double{step.gradient_scale} * g;
  const double beta1 = double{step.beta1};
  const double beta2 = double{step.beta2};
  const double t = static_cast<double>(step.t);
  if (decay) p -= double{step.learning_rate} * double{step.weight_decay} * p;
  m = beta1 * m + (1 - beta1) * scaled;
  v = beta2 * v + (1 - beta2) * scaled.cwiseAbs2();
  const Vector m_hat = m / (1 - std::pow(beta1, t));
  const Vector v_hat = v / (1 - std::pow(beta2, t));
  p -= double{step.learning_rate} * (m_hat.array() / (v_hat.array().sqrt() + double{step.epsilon})).matrix();
}

}  // namespace lockstep::kernels::reference
