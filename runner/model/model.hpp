// A model as the training loop sees it: one arena of parameters, one of gradients, and steps over batches. The loop
// knows no layer; the model knows no rank.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/bf16.hpp"
#include "kernels/operations.hpp"

namespace lockstep::runner {

// One named tensor of the arenas.
struct TensorInfo {
  std::string name;  // "conv1.weight"
  std::vector<std::int64_t> shape;
  std::size_t offset = 0;  // in floats, from the arena's start; a multiple of 16
  std::size_t count = 0;
  bool decay = true;  // weight decay applies (weights, not biases)
};

struct ImageShape {
  int channels = 1;
  int height = 28;
  int width = 28;
};

struct ModelSpec {
  std::string name = "cnn";  // "mlp" or "cnn"
  ImageShape input;
  int classes = 10;
  std::vector<int> layers;  // mlp: hidden sizes, default {512, 512}; cnn: channels of each 3x3 convolution,
                            // default {32, 64}; then a dense layer of `dense` units
  int dense = 128;          // cnn only
  float dropout = 0;        // after each hidden dense layer
  kernels::DataType type = kernels::DataType::f32;  // what it computes in; its arenas are float32 in any case
  std::uint64_t seed = 1;  // of the initial parameters (counter-based: equal on every rank and every machine)
};

// In the device's memory.
struct Batch {
  const float* images = nullptr;         // (count, channels, height, width), values as the data set scales them
  const std::int32_t* labels = nullptr;  // (count), 0 <= label < classes
  int count = 0;
  std::int64_t first_in_global = 0;  // index of images[0] in the global batch: dropout's stream follows it
};

class Model {
 public:
  virtual ~Model() = default;

  // Where it computes, and the queue that all its work goes to.
  virtual kernels::Device& device() = 0;
  virtual kernels::Stream& stream() = 0;

  // Arenas in the device's memory: one allocation each, tensors in forward order with zero padding between.
  virtual std::span<float> parameters() = 0;
  virtual std::span<float> gradients() = 0;
  virtual const std::vector<TensorInfo>& tensors() const = 0;
  // What a model that computes in bfloat16 computes with: the parameters, rounded. Whoever changes parameters writes
  // both (an optimizer), or calls parameters_were_written(), which queues the rounding. Empty in a model of float32.
  virtual std::span<kernels::Bf16> rounded_parameters() { return {}; }
  virtual void parameters_were_written() {}
  // Floating-point operations of a training step for one sample, in products and convolutions, as their definition has
  // them (a multiply-add counts twice): what "model FLOP utilisation" is a share of.
  virtual double training_flop_per_sample() const = 0;

  // Called as soon as the work that makes gradients()[begin, end) final is queued, in the order of the backward pass:
  // from the arena's end to its beginning, without gaps.
  using GradientsReady = std::function<void(std::size_t begin, std::size_t end)>;

  // Queues forward and backward. gradients() become those of (sum of the samples' losses) * gradient_scale, so with
  // 1/global_batch the sum over ranks is the gradient of the mean loss. `now` (device memory) keys the dropout stream.
  // The samples' losses and right answers are added to *sums (device memory).
  virtual void train(const Batch& batch, float gradient_scale, const kernels::StepNumbers* now, kernels::LossSums* sums,
                     const GradientsReady& ready) = 0;
  // Forward only, without dropout.
  virtual void evaluate(const Batch& batch, kernels::LossSums* sums) = 0;
};

// `max_batch` samples at most per call; shapes are planned at first use and kept. The device must outlive the model.
// Throws bad_input for a spec that makes no sense (no room left after pooling, no classes, ...).
std::unique_ptr<Model> make_model(const ModelSpec& spec, int max_batch, kernels::Device& device);

}  // namespace lockstep::runner
