// One layer of a model, planned for one batch size.
#pragma once

#include <cstdint>
#include <memory>

#include "kernels/kernels.hpp"
#include "runner/model/architecture.hpp"

namespace lockstep::runner {

// One pass over one batch.
struct Pass {
  kernels::Stream& stream;
  bool training = false;
  std::uint64_t seed = 0;
  const kernels::StepNumbers* now = nullptr;  // device memory
  std::int64_t first_sample = 0;              // of the batch in the global batch
};

// A layer's weight and bias in the arenas, all plain, of the type that the layer computes in.
struct Parameters {
  const TensorInfo* weight_info = nullptr;
  const TensorInfo* bias_info = nullptr;
  void* weight = nullptr;
  void* bias = nullptr;
  void* dweight = nullptr;
  void* dbias = nullptr;
  bool first = false;  // of the model: nobody wants the gradient of the layer's input
};

class Layer {
 public:
  virtual ~Layer() = default;
  virtual kernels::LayoutPtr output() const = 0;
  // The result lies in the layer's own memory (or is x) and stays until the next forward pass. So does x, which
  // backward reads again.
  virtual kernels::ConstView forward(kernels::ConstView x, const Pass& pass) = 0;
  // From the gradient of the output to that of the input, which is written over dy or into `spare` (both are memory for
  // the largest gradient of the model). The first layer with parameters returns nothing.
  virtual kernels::View backward(kernels::View dy, void* spare, const Pass& pass) = 0;
};

// `x` is the layout of the layer's input; its type is what the layer computes in.
std::unique_ptr<Layer> make_layer(kernels::Device& device, const PooledConv2dSpec& spec, const kernels::LayoutPtr& x,
                                  const Parameters& parameters);
std::unique_ptr<Layer> make_layer(kernels::Device& device, const ReluSpec& spec, const kernels::LayoutPtr& x,
                                  const Parameters& parameters);
std::unique_ptr<Layer> make_layer(kernels::Device& device, const FlattenSpec& spec, const kernels::LayoutPtr& x,
                                  const Parameters& parameters);
std::unique_ptr<Layer> make_layer(kernels::Device& device, const DenseSpec& spec, const kernels::LayoutPtr& x,
                                  const Parameters& parameters);
std::unique_ptr<Layer> make_layer(kernels::Device& device, const DropoutSpec& spec, const kernels::LayoutPtr& x,
                                  const Parameters& parameters);

}  // namespace lockstep::runner
