// The numbers of a training on the host: what a checkpoint holds, and what ranks share when they go on from one.
#pragma once

#include <string>
#include <vector>

#include "runner/host_copy.hpp"
#include "runner/model/model.hpp"
#include "runner/optimizer/optimizer.hpp"

namespace lockstep::runner {

class TrainingState {
 public:
  // Waits for the model's stream, then has the numbers. Both must outlive it.
  TrainingState(Model& model, Optimizer& optimizer);

  struct Arena {
    std::string name;  // "parameters", or that of the optimizer's state
    HostCopy numbers;
  };
  const std::vector<TensorInfo>& tensors() const { return model_.tensors(); }
  Arena& parameters() { return arenas_.front(); }
  std::span<Arena> of_optimizer() { return std::span(arenas_).subspan(1); }
  std::span<Arena> all() { return arenas_; }

  // Gives what was written to the arenas to model and optimizer.
  void give_back();

 private:
  Model& model_;
  std::vector<Arena> arenas_;
};

}  // namespace lockstep::runner
