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
};

// An arena of the same layout as the parameters', in the same device's memory.
struct OptimizerState {
  std::string name;  // "velocity"; "m", "v"
  std::span<float> values;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Queues update `step` (from 0, over the whole run): changes the model's parameters by its gradients.
  virtual void update(double learning_rate, std::int64_t step) = 0;
  // Everything that an update depends on besides parameters, gradients and step.
  virtual std::vector<OptimizerState> state() = 0;
};

// The model must outlive it.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, Model& model);

}  // namespace lockstep::runner
