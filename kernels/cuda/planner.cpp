#include "common/error.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/operations.hpp"

namespace lockstep::kernels::cuda {

void expect_f32(DataType type, const char* what) {
  if (type != DataType::f32) throw failure("{}: the CUDA back-end computes in float32", what);
}

namespace {

class CudaPlanner : public Planner {
 public:
  explicit CudaPlanner(CudaDevice& device) : device_(device) {}

  LayoutPtr plain_layout(const Shape& shape, DataType type) override {
    expect_f32(type, "a layout");
    return make_layout(shape);
  }
  std::unique_ptr<Reorder> reorder(const LayoutPtr& from, const LayoutPtr& to) override {
    return make_reorder(device_, from, to);
  }
  std::unique_ptr<Dense> dense(const DenseShape& shape, DataType type) override {
    expect_f32(type, "dense");
    return make_dense(device_, shape);
  }
  std::unique_ptr<Conv2d> conv2d(const Conv2dShape& shape, DataType type) override {
    expect_f32(type, "conv2d");
    return make_conv2d(device_, shape);
  }
  std::unique_ptr<MaxPool> max_pool(const MaxPoolShape& shape, DataType type) override {
    expect_f32(type, "max_pool");
    if (shape.kernel > 16)
      throw bad_input("a {0}x{0} max-pooling: the CUDA back-end has them up to 16x16", shape.kernel);
    return make_max_pool(device_, shape);
  }
  std::unique_ptr<Relu> relu(const LayoutPtr& layout, DataType type) override {
    expect_f32(type, "relu");
    return make_relu(device_, layout);
  }
  std::unique_ptr<Dropout> dropout(const LayoutPtr& layout, float rate, DataType type) override {
    expect_f32(type, "dropout");
    return make_dropout(device_, layout, rate);
  }
  std::unique_ptr<SoftmaxCrossEntropy> softmax_cross_entropy(std::int64_t rows, std::int64_t classes,
                                                             DataType type) override {
    expect_f32(type, "softmax_cross_entropy");
    return make_softmax_cross_entropy(device_, rows, classes);
  }
  std::unique_ptr<Sgd> sgd(std::vector<ParameterRange> ranges) override { return make_sgd(device_, std::move(ranges)); }
  std::unique_ptr<AdamW> adamw(std::vector<ParameterRange> ranges) override {
    return make_adamw(device_, std::move(ranges));
  }
  std::unique_ptr<ArenaMath> arena_math() override { return make_arena_math(device_); }

 private:
  CudaDevice& device_;
};

}  // namespace

std::unique_ptr<Planner> make_planner(CudaDevice& device) { return std::make_unique<CudaPlanner>(device); }

}  // namespace lockstep::kernels::cuda
