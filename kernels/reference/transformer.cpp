#include <cmath>
#include <numbers>

#include "kernels/reference/reference.hpp"

namespace lockstep::kernels::reference {
namespace {

const double root = std::sqrt(2 / std::numbers::pi);

double gelu_of(double u) { return u / 2 * (1 + std::tanh(root * (u + 0.044715 * u * u * u))); }

double gelu_slope(double u) {
  const double t = std::tanh(root * (u + 0.044715 * u * u * u));
  return (1 + t) / 2 + u / 2 * (1 - t * t) * root * (1 + 3 * 0.044715 * u * u);
}

// One head's softmax over the past, (length, length).
Matrix past_softmax(const Matrix& q, const Matrix& k) {
  Matrix p = q * k.transpose() / std::sqrt(static_cast<double>(q.cols()));
  for (std::int64_t t = 0; t < p.rows(); ++t) {
    const double maximum = p.row(t).head(t + 1).maxCoeff();
    p.row(t).head(t + 1) = (p.row(t).head(t + 1).array() - maximum).exp();
    p.row(t).tail(p.cols() - t - 1).setZero();
    p.row(t) /= p.row(t).sum();
  }
  return p;
}

// Calls use(first row, first column) for every batch and head.
template <class Use>
void for_heads(const AttentionShape& s, Use use) {
  for (std::int64_t batch = 0; batch < s.batch; ++batch) {
    for (std::int64_t head = 0; head < s.heads; ++head) use(batch * s.length, head * s.head_size);
  }
}

}  // namespace

Matrix bias_gelu(const Matrix& x, const Vector& bias) {
  return (x.rowwise() + bias.transpose()).unaryExpr([](double u) { return gelu_of(u); });
}

BiasGradients bias_gelu_backward(const Matrix& x, const Vector& bias, const Matrix& dy) {
  const Matrix slope = (x.rowwise() + bias.transpose()).unaryExpr([](double u) { return gelu_slope(u); });
  BiasGradients made{dy.cwiseProduct(slope), {}};
  made.dbias = made.dx.colwise().sum().transpose();
  return made;
}

Normalised layer_norm(const Matrix& x, const Vector& gamma, const Vector& beta) {
  Normalised made;
  made.mean = x.rowwise().mean();
  const Matrix from_mean = x.colwise() - made.mean;
  const Vector variance = from_mean.cwiseAbs2().rowwise().mean();
  made.rstd = (variance.array() + double{ResidualLayerNorm::epsilon}).rsqrt();
  made.y = (from_mean.array().colwise() * made.rstd.array()).matrix() * gamma.asDiagonal();
  made.y.rowwise() += beta.transpose();
  return made;
}

NormGradients layer_norm_backward(const Matrix& x, const Vector& gamma, const Matrix& dy) {
  const Normalised of = layer_norm(x, Vector::Ones(x.cols()), Vector::Zero(x.cols()));
  const Matrix scaled = dy * gamma.asDiagonal();
  const Vector mean = scaled.rowwise().mean();
  const Vector along = scaled.cwiseProduct(of.y).rowwise().mean();
  NormGradients made;
  made.dx = of.rstd.asDiagonal() * (Matrix(scaled.colwise() - mean) - along.asDiagonal() * of.y);
  made.dgamma = dy.cwiseProduct(of.y).colwise().sum().transpose();
  made.dbeta = dy.colwise().sum().transpose();
  return made;
}

Matrix embedding(const EmbeddingShape& s, const std::vector<std::int32_t>& ids, const Matrix& tokens,
                 const Matrix& positions) {
  Matrix y(s.batch * s.length, s.columns);
  for (std::int64_t row = 0; row < y.rows(); ++row) {
    y.row(row) = tokens.row(ids[static_cast<std::size_t>(row)]) + positions.row(row % s.length);
  }
  return y;
}

EmbeddingGradients embedding_backward(const EmbeddingShape& s, const std::vector<std::int32_t>& ids, const Matrix& dy) {
  EmbeddingGradients made{Matrix::Zero(s.vocabulary, s.columns), Matrix::Zero(s.positions, s.columns)};
  for (std::int64_t row = 0; row < dy.rows(); ++row) {
    made.dtokens.row(ids[static_cast<std::size_t>(row)]) += dy.row(row);
    made.dpositions.row(row % s.length) += dy.row(row);
  }
  return made;
}

Matrix attention(const AttentionShape& s, const Matrix& qkv) {
  Matrix out(s.rows(), s.columns());
  for_heads(s, [&](std::int64_t row, std::int64_t column) {
    const auto part = [&](std::int64_t first) -> Matrix { return qkv.block(row, first, s.length, s.head_size); };
    out.block(row, column, s.length, s.head_size) =
        past_softmax(part(column), part(s.columns() + column)) * part(2 * s.columns() + column);
  });
  return out;
}

Matrix attention_backward(const AttentionShape& s, const Matrix& qkv, const Matrix& dout) {
  Matrix dqkv(qkv.rows(), qkv.cols());
  const double scale = 1 / std::sqrt(static_cast<double>(s.head_size));
  for_heads(s, [&](std::int64_t row, std::int64_t column) {
    const auto part = [&](Matrix& of, std::int64_t first) { return of.block(row, first, s.length, s.head_size); };
    Matrix all = qkv;
    const Matrix q = part(all, column);
    const Matrix k = part(all, s.columns() + column);
    const Matrix v = part(all, 2 * s.columns() + column);
    const Matrix d = dout.block(row, column, s.length, s.head_size);
    const Matrix p = past_softmax(q, k);
    const Matrix dp = d * v.transpose();
    const Vector along = p.cwiseProduct(dp).rowwise().sum();
    const Matrix dscores = p.cwiseProduct(Matrix(dp.colwise() - along));
    part(dqkv, column) = scale * dscores * k;
    part(dqkv, s.columns() + column) = scale * dscores.transpose() * q;
    part(dqkv, 2 * s.columns() + column) = p.transpose() * d;
  });
  return dqkv;
}

}  // namespace lockstep::kernels::reference
