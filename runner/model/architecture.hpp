// What a model is made of, before anything is planned: its layers and where their tensors lie in the arenas. Pure.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "runner/model/model.hpp"

namespace lockstep::runner {

struct PooledConv2dSpec {  // 3x3, stride 1, padding 1; then 2x2 max-pooling and ReLU
  int channels = 0;
};
struct ReluSpec {};     // the backward half of a ReLU whose forward half is fused into the dense layer before it
struct FlattenSpec {};  // (batch, channels, height, width) to (batch, features)
struct DenseSpec {
  int units = 0;
  bool relu = false;  // fused into its forward half
};
struct DropoutSpec {
  float rate = 0;
  std::uint32_t number = 0;  // tells the model's dropout layers apart
};

struct LayerSpec {
  std::variant<PooledConv2dSpec, ReluSpec, FlattenSpec, DenseSpec, DropoutSpec> what;
  int weight = -1;  // index of its weight among the tensors, the bias follows; -1: a layer without parameters
};

struct Architecture {
  ImageShape input;
  int classes = 0;
  std::vector<LayerSpec> layers;    // in forward order; the last one's output is the logits
  std::vector<TensorInfo> tensors;  // in forward order
  std::size_t arena_floats = 0;
  double forward_flop = 0;      // of one sample, in products and convolutions
  double first_layer_flop = 0;  // of them, in the first layer with parameters, whose input wants no gradient
};

// Throws bad_input for a spec that makes no sense.
Architecture make_architecture(const ModelSpec& spec);

}  // namespace lockstep::runner
