// The reference's gradients against finite differences: sum(dy * f(x)) has the gradient that backward(dy) claims.
#include "kernels/reference/reference.hpp"

#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {
namespace {

double weigh(const Matrix& y, const Matrix& dy) { return y.cwiseProduct(dy).sum(); }

TEST(Reference, DenseGradientsAreThoseOfFiniteDifferences) {
  const Matrix x = random_matrix(3, 5, 1);
  const Matrix w = random_matrix(4, 5, 2);
  const Vector b = random_vector(4, 3);
  const Matrix dy = random_matrix(3, 4, 4);
  const auto made = reference::dense_backward(x, w, dy);
  const auto of = [&](const Matrix& at_x, const Matrix& at_w, const Vector& at_b) {
    return weigh(reference::dense(at_x, at_w, at_b), dy);
  };
  EXPECT_TRUE(agree(made.dx, numeric_gradient([&](const Matrix& at) { return of(at, w, b); }, x), 1e-8));
  EXPECT_TRUE(agree(made.dweight, numeric_gradient([&](const Matrix& at) { return of(x, at, b); }, w), 1e-8));
  EXPECT_TRUE(agree(made.dbias, numeric_gradient([&](const Matrix& at) { return of(x, w, at); }, b), 1e-8));
}

TEST(Reference, ConvolutionGradientsAreThoseOfFiniteDifferences) {
  for (const auto& [kernel, stride, padding] : {std::array{3, 1, 1}, {1, 1, 0}, {3, 2, 1}, {5, 2, 0}, {2, 1, 1}}) {
    const Conv2dShape s{2, 2, 5, 6, 3, kernel, stride, padding};
    const Matrix x = random_matrix(2, 2 * 5 * 6, 1);
    const Matrix w = random_matrix(3, 2 * kernel * kernel, 2);
    const Vector b = random_vector(3, 3);
    const Matrix dy = random_matrix(2, 3 * s.out_height() * s.out_width(), 4);
    const auto made = reference::conv2d_backward(s, x, w, dy);
    const auto of = [&](const Matrix& at_x, const Matrix& at_w, const Vector& at_b) {
      return weigh(reference::conv2d(s, at_x, at_w, at_b), dy);
    };
    EXPECT_TRUE(agree(made.dx, numeric_gradient([&](const Matrix& at) { return of(at, w, b); }, x), 1e-7));
    EXPECT_TRUE(agree(made.dweight, numeric_gradient([&](const Matrix& at) { return of(x, at, b); }, w), 1e-7));
    EXPECT_TRUE(agree(made.dbias, numeric_gradient([&](const Matrix& at) { return of(x, w, at); }, b), 1e-7));
  }
}

TEST(Reference, PoolingAndReluGradientsAreThoseOfFiniteDifferences) {
  const reference::PoolSize size{2, 5, 7, 3, 2};
  const Matrix x = random_matrix(2, 2 * 5 * 7, 1);
  const Matrix dy = random_matrix(2, reference::max_pool(size, x).cols(), 2);
  const auto pooled = [&](const Matrix& at) { return weigh(reference::max_pool(size, at), dy); };
  EXPECT_TRUE(agree(reference::max_pool_backward(size, x, dy), numeric_gradient(pooled, x), 1e-8));
  const Matrix of_relu = random_matrix(2, x.cols(), 3);
  const auto bent = [&](const Matrix& at) { return weigh(reference::relu(at), of_relu); };
  EXPECT_TRUE(agree(reference::relu_backward(reference::relu(x), of_relu), numeric_gradient(bent, x), 1e-8));
}

TEST(Reference, PooledConvolutionGradientsAreThoseOfFiniteDifferences) {
  const PooledConv2dShape s{2, 2, 5, 6, 3};
  const Matrix x = random_matrix(2, 2 * 5 * 6, 1);
  const Matrix w = random_matrix(3, 2 * 9, 2);
  const Vector b = random_vector(3, 3);
  const Matrix dy = random_matrix(2, 3 * 2 * 3, 4);
  const auto made = reference::pooled_conv2d_backward(s, x, w, b, dy);
  const auto of = [&](const Matrix& at_x, const Matrix& at_w, const Vector& at_b) {
    return weigh(reference::pooled_conv2d(s, at_x, at_w, at_b), dy);
  };
  EXPECT_TRUE(agree(made.dx, numeric_gradient([&](const Matrix& at) { return of(at, w, b); }, x), 1e-7));
  EXPECT_TRUE(agree(made.dweight, numeric_gradient([&](const Matrix& at) { return of(x, at, b); }, w), 1e-7));
  EXPECT_TRUE(agree(made.dbias, numeric_gradient([&](const Matrix& at) { return of(x, w, at); }, b), 1e-7));
}

TEST(Reference, CrossEntropyGradientIsThatOfFiniteDifferences) {
  const Matrix logits = 3 * random_matrix(4, 6, 1);
  const std::vector<std::int32_t> labels = {0, 5, 2, 2};
  const auto made = reference::softmax_cross_entropy(logits, labels, 0.25);
  const auto loss = [&](const Matrix& at) { return 0.25 * reference::softmax_cross_entropy(at, labels, 1).loss; };
  EXPECT_TRUE(agree(made.dlogits, numeric_gradient(loss, logits), 1e-8));
}

TEST(Reference, GeluGradientsAreThoseOfFiniteDifferences) {
  const Matrix x = 3 * random_matrix(4, 5, 1);
  const Vector bias = random_vector(5, 2);
  const Matrix dy = random_matrix(4, 5, 3);
  const auto made = reference::bias_gelu_backward(x, bias, dy);
  const auto of = [&](const Matrix& at_x, const Matrix& at_bias) {
    return weigh(reference::bias_gelu(at_x, at_bias), dy);
  };
  EXPECT_TRUE(agree(made.dx, numeric_gradient([&](const Matrix& at) { return of(at, bias); }, x), 1e-8));
  EXPECT_TRUE(agree(made.dbias, numeric_gradient([&](const Matrix& at) { return of(x, at); }, bias), 1e-8));
}

TEST(Reference, LayerNormGradientsAreThoseOfFiniteDifferences) {
  const Matrix x = random_matrix(3, 7, 1);
  const Vector gamma = random_vector(7, 2);
  const Vector beta = random_vector(7, 3);
  const Matrix dy = random_matrix(3, 7, 4);
  const auto made = reference::layer_norm_backward(x, gamma, dy);
  const auto of = [&](const Matrix& at_x, const Matrix& at_gamma, const Matrix& at_beta) {
    return weigh(reference::layer_norm(at_x, at_gamma, at_beta).y, dy);
  };
  EXPECT_TRUE(agree(made.dx, numeric_gradient([&](const Matrix& at) { return of(at, gamma, beta); }, x), 1e-8));
  EXPECT_TRUE(agree(made.dgamma, numeric_gradient([&](const Matrix& at) { return of(x, at, beta); }, gamma), 1e-8));
  EXPECT_TRUE(agree(made.dbeta, numeric_gradient([&](const Matrix& at) { return of(x, gamma, at); }, beta), 1e-8));
}

TEST(Reference, EmbeddingGradientsAreThoseOfFiniteDifferences) {
  const EmbeddingShape s{2, 3, 4, 5, 2};
  const std::vector<std::int32_t> ids = {0, 3, 3, 1, 3, 0};
  const Matrix tokens = random_matrix(4, 2, 1);
  const Matrix positions = random_matrix(5, 2, 2);
  const Matrix dy = random_matrix(6, 2, 3);
  const auto made = reference::embedding_backward(s, ids, dy);
  const auto of = [&](const Matrix& at_tokens, const Matrix& at_positions) {
    return weigh(reference::embedding(s, ids, at_tokens, at_positions), dy);
  };
  EXPECT_TRUE(agree(made.dtokens, numeric_gradient([&](const Matrix& at) { return of(at, positions); }, tokens), 1e-8));
  EXPECT_TRUE(
      agree(made.dpositions, numeric_gradient([&](const Matrix& at) { return of(tokens, at); }, positions), 1e-8));
}

TEST(Reference, AttentionGradientsAreThoseOfFiniteDifferences) {
  const AttentionShape s{2, 4, 2, 3};
  const Matrix qkv = 2 * random_matrix(8, 18, 1);
  const Matrix dout = random_matrix(8, 6, 2);
  const auto of = [&](const Matrix& at) { return weigh(reference::attention(s, at), dout); };
  EXPECT_TRUE(agree(reference::attention_backward(s, qkv, dout), numeric_gradient(of, qkv), 1e-8));
}

TEST(Reference, ConvolutionOfAnImpulseIsTheKernelTurnedRound) {
  const Conv2dShape s{1, 1, 3, 3, 1};
  Matrix x = Matrix::Zero(1, 9);
  x(0, 4) = 1;
  Matrix w(1, 9);
  w << 1, 2, 3, 4, 5, 6, 7, 8, 9;
  Matrix want(1, 9);
  want << 9, 8, 7, 6, 5, 4, 3, 2, 1;
  EXPECT_TRUE(agree(reference::conv2d(s, x, w, Vector::Zero(1)), want, 0));
}

}  // namespace
}  // namespace lockstep::kernels
