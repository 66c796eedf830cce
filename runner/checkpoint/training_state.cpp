#include "runner/checkpoint/training_state.hpp"

namespace lockstep::runner {

TrainingState::TrainingState(Model& model, Optimizer& optimizer) : model_(model) {
  const auto add = [&](const std::string& name, std::span<float> values) {
    arenas_.push_back({name, HostCopy(model.device(), model.stream(), values)});
  };
  add("parameters", model.parameters());
  for (const OptimizerState& state : optimizer.state()) add(state.name, state.values);
}

void TrainingState::give_back() {
  for (Arena& arena : arenas_) arena.numbers.give_back();
}

}  // namespace lockstep::runner
