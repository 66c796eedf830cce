#include "runner/optimizer/optimizer.hpp"

#include "common/error.hpp"
#include "kernels/kernels.hpp"

namespace lockstep::runner {

namespace {
// One range per run of tensors with the same decay. The padding between tensors joins in: it holds zeros and stays so.
std::vector<kernels::ParameterRange> ranges_of(const Model& model) {
  std::vector<kernels::ParameterRange> ranges;
  for (const TensorInfo& tensor : model.tensors()) {
    const std::size_t end = tensor.offset + tensor.count;
    if (!ranges.empty() && ranges.back().decay == tensor.decay) {
      ranges.back().end = end;
    } else {
      ranges.push_back({tensor.offset, end, tensor.decay});
    }
  }
  return ranges;
}

kernels::Buffer state_of(Model& model) {
  return with_purpose("the optimizer's state",
                      [&] { return model.device().allocate(model.parameters().size_bytes()); });
}

class SgdOptimizer final : public Optimizer {
 public:
  SgdOptimizer(const OptimizerOptions& options, Model& model)
      : options_(options),
        model_(model),
        velocity_(state_of(model)),
        sgd_(kernels::make_sgd(model.device(), ranges_of(model))) {}

  void update(double learning_rate, std::int64_t) override {
    kernels::SgdStep step;
    step.learning_rate = static_cast<float>(learning_rate);
    step.momentum = static_cast<float>(options_.momentum);
    step.weight_decay = static_cast<float>(options_.weight_decay);
    sgd_->run(model_.parameters(), model_.gradients(), velocity_.as<float>(), step, model_.stream());
  }
  std::vector<OptimizerState> state() override { return {{"velocity", velocity_.as<float>()}}; }

 private:
  OptimizerOptions options_;
  Model& model_;
  kernels::Buffer velocity_;
  std::unique_ptr<kernels::Sgd> sgd_;
};

class AdamWOptimizer final : public Optimizer {
 public:
  AdamWOptimizer(const OptimizerOptions& options, Model& model)
      : options_(options),
        model_(model),
        m_(state_of(model)),
        v_(state_of(model)),
        adamw_(kernels::make_adamw(model.device(), ranges_of(model))) {}

  void update(double learning_rate, std::int64_t step_from_0) override {
    kernels::AdamWStep step;
    step.learning_rate = static_cast<float>(learning_rate);
    step.beta1 = static_cast<float>(options_.momentum);
    step.beta2 = static_cast<float>(options_.beta2);
    step.weight_decay = static_cast<float>(options_.weight_decay);
    step.t = static_cast<std::uint64_t>(step_from_0) + 1;
    adamw_->run(model_.parameters(), model_.gradients(), m_.as<float>(), v_.as<float>(), step, model_.stream());
  }
  std::vector<OptimizerState> state() override { return {{"m", m_.as<float>()}, {"v", v_.as<float>()}}; }

 private:
  OptimizerOptions options_;
  Model& model_;
  kernels::Buffer m_;
  kernels::Buffer v_;
  std::unique_ptr<kernels::AdamW> adamw_;
};
}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, Model& model) {
  if (options.name == "adamw") return std::make_unique<AdamWOptimizer>(options, model);
  if (options.name == "sgd") return std::make_unique<SgdOptimizer>(options, model);
  throw bad_input("unknown optimizer '{}': sgd and adamw exist", options.name);
}

}  // namespace lockstep::runner
