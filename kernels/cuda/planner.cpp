#include "common/error.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/operations.hpp"

namespace lockstep::kernels::cuda {

namespace {

class CudaPlanner : public Planner {
 public:
  explicit CudaPlanner(CudaDevice& device) : device_(device) {}

  bool computes_in(DataType type) const override { return type == DataType::f32 || device_.has_bf16(); }
  LayoutPtr plain_layout(const Shape& shape, DataType type) override { return make_layout(shape, type); }
  std::unique_ptr<Reorder> reorder(const LayoutPtr& from, const LayoutPtr& to) override {
    return make_reorder(device_, from, to);
  }
  std::unique_ptr<Dense> dense(const DenseShape& shape, DataType type) override {
    return make_dense(device_, shape, type);
  }
  std::unique_ptr<Conv2d> conv2d(const Conv2dShape& shape, DataType type) override {
    return make_conv2d(device_, shape, type);
  }
  std::unique_ptr<MaxPool> max_pool(const MaxPoolShape& shape, DataType /*type*/) override {
    if (shape.kernel > 16)
      throw bad_input("a {0}x{0} max-pooling: the CUDA back-end has them up to 16x16", shape.kernel);
    return make_max_pool(device_, shape);
  }
  std::unique_ptr<PooledConv2d> pooled_conv2d(const PooledConv2dShape& shape, DataType type) override {
    return make_pooled_conv2d(device_, shape, type);
  }
  std::unique_ptr<Relu> relu(const LayoutPtr& layout, DataType /*type*/) override { return make_relu(device_, layout); }
  std::unique_ptr<Dropout> dropout(const LayoutPtr& layout, float rate, DataType /*type*/) override {
    return make_dropout(device_, layout, rate);
  }
  std::unique_ptr<SoftmaxCrossEntropy> softmax_cross_entropy(std::int64_t rows, std::int64_t classes,
                                                             DataType type) override {
    return make_softmax_cross_entropy(device_, rows, classes, type);
  }
  std::unique_ptr<BiasGelu> bias_gelu(std::int64_t rows, std::int64_t columns, DataType type) override {
    return make_bias_gelu(device_, rows, columns, type);
  }
  std::unique_ptr<ResidualLayerNorm> residual_layer_norm(std::int64_t rows, std::int64_t columns,
                                                         DataType type) override {
    return make_residual_layer_norm(device_, rows, columns, type);
  }
  std::unique_ptr<Embedding> embedding(const EmbeddingShape& shape, DataType type) override {
    return make_embedding(device_, shape, type);
  }
  std::unique_ptr<Attention> attention(const AttentionShape& shape, DataType type) override {
    return make_attention(device_, shape, type);
  }
  std::unique_ptr<Sgd> sgd(std::vector<ParameterRange> ranges) override { return make_sgd(device_, std::move(ranges)); }
  std::unique_ptr<AdamW> adamw(std::vector<ParameterRange> ranges) override {
    return make_adamw(device_, std::move(ranges));
  }
  std::unique_ptr<ArenaMath> arena_math() override { return make_arena_math(device_); }
  std::unique_ptr<Cast> cast() override { return make_cast(device_); }

 private:
  CudaDevice& device_;
};

}  // namespace

std::unique_ptr<Planner> make_planner(CudaDevice& device) { return std::make_unique<CudaPlanner>(device); }

}  // namespace lockstep::kernels::cuda
