// A model's layers planned for one batch size, with the memory that a pass over such a batch needs.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "runner/model/layer.hpp"

namespace lockstep::runner {

class Network {
 public:
  // The arenas (device memory) hold architecture.arena_floats each and outlive the network.
  Network(kernels::Device& device, const Architecture& architecture, std::span<float> parameters,
          std::span<float> gradients, std::int64_t batch);

  // Adds loss and correct answers to *sums; with pass.training, gradients of (sum of losses) * gradient_scale, too,
  // announced as Model::train promises.
  void run(const Batch& batch, float gradient_scale, const Pass& pass, kernels::LossSums* sums,
           const Model::GradientsReady& ready);

 private:
  void backward(const Pass& pass, const Model::GradientsReady& ready);

  const Architecture& architecture_;
  kernels::LayoutPtr input_;
  std::vector<std::unique_ptr<Layer>> layers_;
  std::unique_ptr<kernels::SoftmaxCrossEntropy> loss_;
  kernels::Buffer gradient_;  // of what lies between two layers, going to and fro between these two
  kernels::Buffer spare_;
};

}  // namespace lockstep::runner
