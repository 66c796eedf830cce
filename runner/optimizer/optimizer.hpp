// SGD and AdamW over the model's arenas, with the state they keep between steps.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runner/model/model.hpp"

namespace lockstep::runner {

struct OptimizerOptions {
  std::string name = "sgd";  // or "adamw"
  double momentum = 0.9;     // adamw: beta1
  double beta2 = 0.999;
  double weight_decay = 0;
  double clip_norm = 0;  // 0: gradients are taken as they are
};

// Which floats of the model's arenas: all of them, or what one rank of several looks after (ZeRO stage 1: Rajbhandari
// et al. 2020).
struct ArenaPart {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
};
inline ArenaPart whole(Model& model) { return {0, model.parameters().size()}; }

// For each parameter of the optimizer's part one number, in the same device's memory.
struct OptimizerState {
  std::string name;  // "velocity"; "m", "v"
  std::span<float> values;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // What update() and the model's train() read in step `step` (from 0, over the whole run).
  virtual kernels::StepNumbers numbers(double learning_rate, std::int64_t step) const = 0;
  // Queues a step: changes the model's parameters, those of its part, by their gradients. `now`: device memory.
  virtual void update(const kernels::StepNumbers* now) = 0;
  // Everything that an update depends on besides parameters, gradients and step.
  virtual std::vector<OptimizerState> state() = 0;
  virtual ArenaPart part() const = 0;
};

// The model must outlive it.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, Model& model, ArenaPart part);

}  // namespace lockstep::runner
