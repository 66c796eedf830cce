// The numbers of a training on the host: what a checkpoint holds, and what ranks share when they go on from one.
#pragma once

#include <string>
#include <vector>

#include "runner/collective/collective.hpp"
#include "runner/host_copy.hpp"
#include "runner/model/model.hpp"
#include "runner/optimizer/optimizer.hpp"

namespace lockstep::runner {

class TrainingState {
 public:
  // Waits for the model's stream, then has the numbers. Collective where ranks have parts of the optimizer's state:
  // each gets all of it. Model and optimizer must outlive it.
  TrainingState(Collective& collective, Model& model, Optimizer& optimizer);

  struct Arena {
    std::string name;         // "parameters", or that of the optimizer's state
    std::span<float> values;  // a number for each parameter
  };
  const std::vector<TensorInfo>& tensors() const { return model_.tensors(); }
  const Arena& parameters() const { return arenas_.front(); }
  std::span<const Arena> of_optimizer() const { return std::span(arenas_).subspan(1); }
  std::span<const Arena> all() const { return arenas_; }

  // Gives what was written to the arenas to model and optimizer.
  void give_back();

 private:
  void add(const std::string& name, std::span<float> there, ArenaPart part, Collective& collective);

  Model& model_;
  std::vector<Arena> arenas_;
  std::vector<HostCopy> copies_;           // of what this rank has of each arena
  std::vector<std::vector<float>> whole_;  // empty where that is all of it
  std::vector<ArenaPart> parts_;
};

}  // namespace lockstep::runner
