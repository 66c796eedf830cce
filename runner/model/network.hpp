// A model's layers planned for one batch size, with the memory that a pass over such a batch needs.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "runner/model/layer.hpp"

namespace lockstep::runner {

// What a network computes with: architecture.arena_floats numbers each, in device memory, of the type it computes in.
struct NetworkArenas {
  void* parameters = nullptr;
  void* gradients = nullptr;
  kernels::DataType type = kernels::DataType::f32;
};

class Network {
 public:
  // The arenas outlive the network.
  Network(kernels::Device& device, const Architecture& architecture, const NetworkArenas& arenas, std::int64_t batch);

  // Adds loss and correct answers to *sums; with pass.training, gradients of (sum of losses) * gradient_scale, too,
  // announced as Model::train promises.
  void run(const Batch& batch, float gradient_scale, const Pass& pass, kernels::LossSums* sums,
           const Model::GradientsReady& ready);

 private:
  kernels::ConstView input(const float* images, kernels::Stream& stream);
  void backward(const Pass& pass, const Model::GradientsReady& ready);

  const Architecture& architecture_;
  kernels::LayoutPtr input_;
  std::unique_ptr<kernels::Cast> cast_;
  kernels::Buffer narrow_images_;  // empty where the network computes in float32
  std::vector<std::unique_ptr<Layer>> layers_;
  std::unique_ptr<kernels::SoftmaxCrossEntropy> loss_;
  kernels::Buffer gradient_;  // of what lies between two layers, going to and fro between these two
  kernels::Buffer spare_;
};

}  // namespace lockstep::runner
