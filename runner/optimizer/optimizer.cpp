#include "runner/optimizer/optimizer.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "kernels/kernels.hpp"
#include "kernels/optimizer_factors.hpp"

namespace lockstep::runner {

namespace {
// One range per run of tensors with the same decay, within the part and counted from its beginning. The padding between
// tensors joins in: it holds zeros and stays so.
std::vector<kernels::ParameterRange> ranges_of(const Model& model, ArenaPart part) {
  std::vector<kernels::ParameterRange> ranges;
  for (const TensorInfo& tensor : model.tensors()) {
    const std::size_t begin = std::max(tensor.offset, part.begin);
    const std::size_t end = std::min(tensor.offset + tensor.count, part.end);
    if (begin >= end) continue;
    if (!ranges.empty() && ranges.back().decay == tensor.decay) {
      ranges.back().end = end - part.begin;
    } else {
      ranges.push_back({begin - part.begin, end - part.begin, tensor.decay});
    }
  }
  return ranges;
}

// What both kinds have: the part of the model's arenas, and memory for a number of each of its parameters.
class ArenaOptimizer : public Optimizer {
 public:
  ArenaOptimizer(const OptimizerOptions& options, Model& model, ArenaPart part)
      : options_(options),
        model_(model),
        part_(part),
        math_(kernels::make_arena_math(model.device())),
        squares_(model.device().allocate(sizeof(double))) {}
  ArenaPart part() const override { return part_; }

 protected:
  kernels::Buffer allocate() {
    return with_purpose("the optimizer's state",
                        [&] { return model_.device().allocate(part_.size() * sizeof(float)); });
  }
  std::span<float> parameters() { return model_.parameters().subspan(part_.begin, part_.size()); }
  std::span<const float> gradients() { return model_.gradients().subspan(part_.begin, part_.size()); }
  std::span<kernels::Bf16> rounded_parameters() {
    const auto all = model_.rounded_parameters();
    return all.empty() ? all : all.subspan(part_.begin, part_.size());
  }
  // Queues the gradients' norm, if they are to be clipped by it. It never leaves the device.
  kernels::Clipping clipping() {
    if (!(options_.clip_norm > 0)) return {};
    auto* const squares = static_cast<double*>(squares_.data());
    math_->sum_of_squares(gradients(), squares, stream());
    return {squares, static_cast<float>(options_.clip_norm)};
  }
  const OptimizerOptions& options() const { return options_; }
  kernels::Stream& stream() { return model_.stream(); }

 private:
  OptimizerOptions options_;
  Model& model_;
  ArenaPart part_;
  std::unique_ptr<kernels::ArenaMath> math_;
  kernels::Buffer squares_;
};

class SgdOptimizer final : public ArenaOptimizer {
 public:
  SgdOptimizer(const OptimizerOptions& options, Model& model, ArenaPart part)
      : ArenaOptimizer(options, model, part),
        velocity_(allocate()),
        sgd_(kernels::make_sgd(model.device(), ranges_of(model, part))) {}

  kernels::StepNumbers numbers(double learning_rate, std::int64_t step) const override {
    return {static_cast<std::uint64_t>(step), static_cast<float>(learning_rate)};
  }
  void update(const kernels::StepNumbers* now) override {
    kernels::SgdStep step;
    step.now = now;
    step.copy = rounded_parameters();
    step.momentum = static_cast<float>(options().momentum);
    step.weight_decay = static_cast<float>(options().weight_decay);
    step.clipping = clipping();
    sgd_->run(parameters(), gradients(), velocity_.as<float>(), step, stream());
  }
  std::vector<OptimizerState> state() override { return {{"velocity", velocity_.as<float>()}}; }

 private:
  kernels::Buffer velocity_;
  std::unique_ptr<kernels::Sgd> sgd_;
};

class AdamWOptimizer final : public ArenaOptimizer {
 public:
  AdamWOptimizer(const OptimizerOptions& options, Model& model, ArenaPart part)
      : ArenaOptimizer(options, model, part),
        m_(allocate()),
        v_(allocate()),
        adamw_(kernels::make_adamw(model.device(), ranges_of(model, part))) {}

  kernels::StepNumbers numbers(double learning_rate, std::int64_t step) const override {
    return kernels::step_numbers(static_cast<std::uint64_t>(step), static_cast<float>(learning_rate),
                                 static_cast<float>(options().momentum), static_cast<float>(options().beta2));
  }
  void update(const kernels::StepNumbers* now) override {
    kernels::AdamWStep step;
    step.now = now;
    step.copy = rounded_parameters();
    step.beta1 = static_cast<float>(options().momentum);
    step.beta2 = static_cast<float>(options().beta2);
    step.weight_decay = static_cast<float>(options().weight_decay);
    step.clipping = clipping();
    adamw_->run(parameters(), gradients(), m_.as<float>(), v_.as<float>(), step, stream());
  }
  std::vector<OptimizerState> state() override { return {{"m", m_.as<float>()}, {"v", v_.as<float>()}}; }

 private:
  kernels::Buffer m_;
  kernels::Buffer v_;
  std::unique_ptr<kernels::AdamW> adamw_;
};
}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, Model& model, ArenaPart part) {
  if (options.name == "adamw") return std::make_unique<AdamWOptimizer>(options, model, part);
  if (options.name == "sgd") return std::make_unique<SgdOptimizer>(options, model, part);
  throw bad_input("unknown optimizer '{}': sgd and adamw exist", options.name);
}

}  // namespace lockstep::runner
