#include "kernels/planner.hpp"

#include "kernels/cpu/layout.hpp"
#include "kernels/cpu/operations.hpp"

namespace lockstep::kernels {

std::unique_ptr<Device> make_cpu_device(const CpuWays& ways) { return std::make_unique<cpu::CpuDevice>(ways); }

namespace cpu {
namespace {

class CpuPlanner : public Planner {
 public:
  explicit CpuPlanner(CpuDevice& device) : device_(device) {}

  bool computes_in(DataType type) const override { return type == DataType::f32; }
  LayoutPtr plain_layout(const Shape& shape, DataType /*type*/) override { return make_plain_layout(shape); }
  std::unique_ptr<Reorder> reorder(const LayoutPtr& from, const LayoutPtr& to) override {
    return make_reorder(device_, from, to);
  }
  std::unique_ptr<Dense> dense(const DenseShape& shape, DataType /*type*/) override {
    return make_dense(device_, shape);
  }
  std::unique_ptr<Conv2d> conv2d(const Conv2dShape& shape, DataType /*type*/) override {
    return make_conv2d(device_, shape);
  }
  std::unique_ptr<MaxPool> max_pool(const MaxPoolShape& shape, DataType /*type*/) override {
    return make_max_pool(device_, shape);
  }
  std::unique_ptr<PooledConv2d> pooled_conv2d(const PooledConv2dShape& shape, DataType /*type*/) override {
    return make_pooled_conv2d(device_, shape);
  }
  std::unique_ptr<Relu> relu(const LayoutPtr& layout, DataType /*type*/) override { return make_relu(layout); }
  std::unique_ptr<Dropout> dropout(const LayoutPtr& layout, float rate, DataType /*type*/) override {
    return make_dropout(layout, rate);
  }
  std::unique_ptr<SoftmaxCrossEntropy> softmax_cross_entropy(std::int64_t rows, std::int64_t classes,
                                                             DataType /*type*/) override {
    return make_softmax_cross_entropy(rows, classes);
  }
  std::unique_ptr<BiasGelu> bias_gelu(std::int64_t rows, std::int64_t columns, DataType /*type*/) override {
    return make_bias_gelu(rows, columns);
  }
  std::unique_ptr<ResidualLayerNorm> residual_layer_norm(std::int64_t rows, std::int64_t columns,
                                                         DataType /*type*/) override {
    return make_residual_layer_norm(rows, columns);
  }
  std::unique_ptr<Embedding> embedding(const EmbeddingShape& shape, DataType /*type*/) override {
    return make_embedding(shape);
  }
  std::unique_ptr<Attention> attention(const AttentionShape& shape, DataType /*type*/) override {
    return make_attention(device_, shape);
  }
  std::unique_ptr<Sgd> sgd(std::vector<ParameterRange> ranges) override { return make_sgd(std::move(ranges)); }
  std::unique_ptr<AdamW> adamw(std::vector<ParameterRange> ranges) override { return make_adamw(std::move(ranges)); }
  std::unique_ptr<ArenaMath> arena_math() override { return make_arena_math(); }
  std::unique_ptr<Cast> cast() override { return make_cast(); }

 private:
  CpuDevice& device_;
};

}  // namespace

std::unique_ptr<Planner> make_planner(CpuDevice& device) { return std::make_unique<CpuPlanner>(device); }

}  // namespace cpu
}  // namespace lockstep::kernels
