// What a back-end gives: a plan of its own for every operation. The make_<op> functions of operations.hpp,
// transformer.hpp, optimizers.hpp and view.hpp, where each is described, ask the device's planner, after they have
// looked at the arguments: a planner is never asked for a type that it does not compute in.
#pragma once

#include "kernels/operations.hpp"
#include "kernels/optimizers.hpp"
#include "kernels/transformer.hpp"

namespace lockstep::kernels {

class Planner {
 public:
  virtual ~Planner() = default;
  virtual bool computes_in(DataType type) const = 0;
  virtual LayoutPtr plain_layout(const Shape& shape, DataType type) = 0;
  virtual std::unique_ptr<Reorder> reorder(const LayoutPtr& from, const LayoutPtr& to) = 0;
  virtual std::unique_ptr<Dense> dense(const DenseShape& shape, DataType type) = 0;
  virtual std::unique_ptr<Conv2d> conv2d(const Conv2dShape& shape, DataType type) = 0;
  virtual std::unique_ptr<MaxPool> max_pool(const MaxPoolShape& shape, DataType type) = 0;
  virtual std::unique_ptr<PooledConv2d> pooled_conv2d(const PooledConv2dShape& shape, DataType type) = 0;
  virtual std::unique_ptr<Relu> relu(const LayoutPtr& layout, DataType type) = 0;
  virtual std::unique_ptr<Dropout> dropout(const LayoutPtr& layout, float rate, DataType type) = 0;
  virtual std::unique_ptr<SoftmaxCrossEntropy> softmax_cross_entropy(std::int64_t rows, std::int64_t classes,
                                                                     DataType type) = 0;
  virtual std::unique_ptr<BiasGelu> bias_gelu(std::int64_t rows, std::int64_t columns, DataType type) = 0;
  virtual std::unique_ptr<ResidualLayerNorm> residual_layer_norm(std::int64_t rows, std::int64_t columns,
                                                                 DataType type) = 0;
  virtual std::unique_ptr<Embedding> embedding(const EmbeddingShape& shape, DataType type) = 0;
  virtual std::unique_ptr<Attention> attention(const AttentionShape& shape, DataType type) = 0;
  virtual std::unique_ptr<Sgd> sgd(std::vector<ParameterRange> ranges) = 0;
  virtual std::unique_ptr<AdamW> adamw(std::vector<ParameterRange> ranges) = 0;
  virtual std::unique_ptr<ArenaMath> arena_math() = 0;
  virtual std::unique_ptr<Cast> cast() = 0;
};

}  // namespace lockstep::kernels
