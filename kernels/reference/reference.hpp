// The operations once more, as plainly as they can be written: double precision, Eigen, for tests only. Images are rows
// of a matrix, (batch, channels * height * width); convolution weights are (out_channels, in_channels * kernel^2).
#pragma once

#include <Eigen/Dense>
#include <cstdint>
#include <vector>

#include "kernels/operations.hpp"
#include "kernels/optimizers.hpp"
#include "kernels/transformer.hpp"

namespace lockstep::kernels::reference {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

struct LayerGradients {
  Matrix dx;
  Matrix dweight;
  Vector dbias;
};

Matrix dense(const Matrix& x, const Matrix& weight, const Vector& bias);
LayerGradients dense_backward(const Matrix& x, const Matrix& weight, const Matrix& dy);

// shape.relu is not looked at: see relu.
Matrix conv2d(const Conv2dShape& shape, const Matrix& x, const Matrix& weight, const Vector& bias);
LayerGradients conv2d_backward(const Conv2dShape& shape, const Matrix& x, const Matrix& weight, const Matrix& dy);

struct PoolSize {
  std::int64_t channels = 1;
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t kernel = 2;
  std::int64_t stride = 2;
};
Matrix max_pool(const PoolSize& size, const Matrix& x);
Matrix max_pool_backward(const PoolSize& size, const Matrix& x, const Matrix& dy);

Matrix relu(const Matrix& x);
Matrix relu_backward(const Matrix& y, const Matrix& dy);

Matrix pooled_conv2d(const PooledConv2dShape& shape, const Matrix& x, const Matrix& weight, const Vector& bias);
LayerGradients pooled_conv2d_backward(const PooledConv2dShape& shape, const Matrix& x, const Matrix& weight,
                                      const Vector& bias, const Matrix& dy);

// 1 / (1 - rate) where kept, else 0, drawn word by word.
Matrix dropout_factors(std::int64_t rows, std::int64_t columns, double rate, const DropoutKey& key);

struct CrossEntropy {
  double loss = 0;
  std::int64_t correct = 0;
  Matrix dlogits;
};
CrossEntropy softmax_cross_entropy(const Matrix& logits, const std::vector<std::int32_t>& labels, double scale);

Matrix bias_gelu(const Matrix& x, const Vector& bias);
struct BiasGradients {
  Matrix dx;
  Vector dbias;
};
BiasGradients bias_gelu_backward(const Matrix& x, const Vector& bias, const Matrix& dy);

struct Normalised {
  Matrix y;
  Vector mean;
  Vector rstd;
};
Normalised layer_norm(const Matrix& x, const Vector& gamma, const Vector& beta);
struct NormGradients {
  Matrix dx;
  Vector dgamma;
  Vector dbeta;
};
NormGradients layer_norm_backward(const Matrix& x, const Vector& gamma, const Matrix& dy);

Matrix embedding(const EmbeddingShape& shape, const std::vector<std::int32_t>& ids, const Matrix& tokens,
                 const Matrix& positions);
struct EmbeddingGradients {
  Matrix dtokens;
  Matrix dpositions;
};
EmbeddingGradients embedding_backward(const EmbeddingShape& shape, const std::vector<std::int32_t>& ids,
                                      const Matrix& dy);

Matrix attention(const AttentionShape& shape, const Matrix& qkv);
Matrix attention_backward(const AttentionShape& shape, const Matrix& qkv, const Matrix& dout);

// One step over one range; the state is updated in place.
void sgd(Vector& p, const Vector& g, Vector& v, const SgdStep& step, bool decay);
void adamw(Vector& p, const Vector& g, Vector& m, Vector& v, const AdamWStep& step, bool decay);

}  // namespace lockstep::kernels::reference
