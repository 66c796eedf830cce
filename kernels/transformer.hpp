// The operations of a transformer that operations.hpp does not have; planned and run in the same way. All views are
// plain. rows = batch * length where nothing else is said.
#pragma once

#include <cstdint>
#include <memory>

#include "kernels/view.hpp"

namespace lockstep::kernels {

// y = gelu(x + bias) with the tanh approximation that GPT-2 was trained with (Hendrycks and Gimpel 2016):
// gelu(u) = u / 2 * (1 + tanh(sqrt(2 / pi) * (u + 0.044715 u^3))). x, y (rows, columns), bias (columns). x comes from a
// Dense without a bias, so that nobody else adds it.
class BiasGelu {
 public:
  virtual ~BiasGelu() = default;
  virtual void forward(ConstView x, ConstView bias, View y, Stream& stream) = 0;
  // x is what forward got. dx may be dy. dbias is the sum of dx over the rows.
  virtual void backward(ConstView x, ConstView bias, ConstView dy, View dx, View dbias, Stream& stream) = 0;
};
std::unique_ptr<BiasGelu> make_bias_gelu(Device& device, std::int64_t rows, std::int64_t columns, DataType type);

// sum = x + residual; y = (sum - mean) * rstd * gamma + beta per row, where rstd = 1 / sqrt(variance + 1e-5) and the
// variance is that of the row itself (divided by columns), as in PyTorch's layer_norm.
// x, residual, sum, y (rows, columns); gamma, beta (columns); mean, rstd: (rows) floats, whatever the views' type.
class ResidualLayerNorm {
 public:
  static constexpr float epsilon = 1e-5F;
  virtual ~ResidualLayerNorm() = default;
  // Without a residual (no data), y is x normalised and sum is not written. sum may be x or the residual.
  virtual void forward(ConstView x, ConstView residual, ConstView gamma, ConstView beta, View sum, View y, float* mean,
                       float* rstd, Stream& stream) = 0;
  // dx = the normalisation's gradient + dsum, the gradient that reaches sum past it (no data: none): the gradient of x
  // and of the residual alike. sum is forward's (x, where there was no residual). dx may be dsum or dy.
  virtual void backward(ConstView dy, ConstView dsum, ConstView sum, ConstView gamma, const float* mean,
                        const float* rstd, View dx, View dgamma, View dbeta, Stream& stream) = 0;
};
std::unique_ptr<ResidualLayerNorm> make_residual_layer_norm(Device& device, std::int64_t rows, std::int64_t columns,
                                                            DataType type);

// y[b, t] = tokens[ids[b, t]] + positions[t]. ids (batch, length), tokens (vocabulary, columns), positions (at least
// length rows, columns), y (batch * length, columns). An id outside [0, vocabulary) is undefined behaviour: data sets
// are checked when they are read.
struct EmbeddingShape {
  std::int64_t batch = 0;
  std::int64_t length = 0;
  std::int64_t vocabulary = 0;
  std::int64_t positions = 0;
  std::int64_t columns = 0;
};
class Embedding {
 public:
  virtual ~Embedding() = default;
  virtual void forward(const std::int32_t* ids, ConstView tokens, ConstView positions, View y, Stream& stream) = 0;
  // dtokens is added to, row by row of those that ids name, because GPT-2's output layer shares the table and has
  // written its own gradient there; a table of its own is zeroed first. dpositions is written: zeros from `length` on.
  virtual void backward(const std::int32_t* ids, ConstView dy, View dtokens, View dpositions, Stream& stream) = 0;
};
std::unique_ptr<Embedding> make_embedding(Device& device, const EmbeddingShape& shape, DataType type);

// Causal attention: out[t] = sum over s <= t of softmax_s(q[t] k[s] / sqrt(head_size)) v[s], per batch and head.
// qkv (batch * length, 3 * heads * head_size): q of all heads, then k, then v; out (batch * length, heads * head_size).
// No (length, length) matrix reaches memory (Dao 2023, FlashAttention-2). head_size is at most 128.
struct AttentionShape {
  std::int64_t batch = 0;
  std::int64_t length = 0;
  std::int64_t heads = 0;
  std::int64_t head_size = 0;
  std::int64_t rows() const { return batch * length; }
  std::int64_t columns() const { return heads * head_size; }
};
class Attention {
 public:
  virtual ~Attention() = default;
  // log_sum_exp: (batch, heads, length) floats, whatever the views' type; backward computes the softmax again from it.
  virtual void forward(ConstView qkv, View out, float* log_sum_exp, Stream& stream) = 0;
  virtual void backward(ConstView qkv, ConstView out, const float* log_sum_exp, ConstView dout, View dqkv,
                        Stream& stream) = 0;
};
std::unique_ptr<Attention> make_attention(Device& device, const AttentionShape& shape, DataType type);

}  // namespace lockstep::kernels
