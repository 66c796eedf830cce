#include "runner/model/network.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.hpp"

namespace lockstep::runner {

using kernels::ConstView;
using kernels::DataType;
using kernels::View;

namespace {

Parameters parameters_of(const Architecture& architecture, const LayerSpec& layer, const NetworkArenas& arenas) {
  if (layer.weight < 0) return {};
  const TensorInfo& weight = architecture.tensors[static_cast<std::size_t>(layer.weight)];
  const TensorInfo& bias = architecture.tensors[static_cast<std::size_t>(layer.weight) + 1];
  const auto place = [&arenas](void* arena, const TensorInfo& tensor) -> void* {
    return static_cast<std::byte*>(arena) + tensor.offset * kernels::bytes_of(arenas.type);
  };
  return {&weight,
          &bias,
          place(arenas.parameters, weight),
          place(arenas.parameters, bias),
          place(arenas.gradients, weight),
          place(arenas.gradients, bias),
          layer.weight == 0};
}

// "layer 3 (conv2.weight)", or the number alone.
std::string name_of(const Architecture& architecture, std::size_t layer) {
  const int weight = architecture.layers[layer].weight;
  const std::string number = fmt::format("layer {}", layer + 1);
  return weight < 0 ? number
                    : fmt::format("{} ({})", number, architecture.tensors[static_cast<std::size_t>(weight)].name);
}

}  // namespace

Network::Network(kernels::Device& device, const Architecture& architecture, const NetworkArenas& arenas,
                 std::int64_t batch)
    : architecture_(architecture),
      input_(kernels::make_plain_layout(
          device, {batch, architecture.input.channels, architecture.input.height, architecture.input.width},
          arenas.type)),
      loss_(kernels::make_softmax_cross_entropy(device, batch, architecture.classes, arenas.type)) {
  if (arenas.type == DataType::bf16) {
    cast_ = kernels::make_cast(device);
    narrow_images_ = device.allocate(input_->bytes());
  }
  kernels::LayoutPtr x = input_;
  std::size_t largest = 0;
  for (const LayerSpec& spec : architecture.layers) {
    const Parameters of_layer = parameters_of(architecture, spec, arenas);
    const auto plan = [&](const auto& what) { return make_layer(device, what, x, of_layer); };
    layers_.push_back(with_purpose(fmt::format("{} for {} images", name_of(architecture, layers_.size()), batch),
                                   [&] { return std::visit(plan, spec.what); }));
    largest = std::max(largest, x->bytes());  // of the gradient of a layer's input
    x = layers_.back()->output();
  }
  largest = std::max(largest, x->bytes());
  gradient_ = device.allocate(largest);
  spare_ = device.allocate(largest);
}

void Network::run(const Batch& batch, float gradient_scale, const Pass& pass, kernels::LossSums* sums,
                  const Model::GradientsReady& ready) {
  ConstView x = input(batch.images, pass.stream);
  for (const auto& layer : layers_) x = layer->forward(x, pass);
  const View dlogits{pass.training ? gradient_.data() : nullptr, x.layout};
  loss_->run(x, batch.labels, gradient_scale, dlogits, sums, pass.stream);
  if (pass.training) backward(pass, ready);
}

ConstView Network::input(const float* images, kernels::Stream& stream) {
  if (!cast_) return {images, input_.get()};
  cast_->narrow({images, static_cast<std::size_t>(input_->elements())}, narrow_images_.as<kernels::Bf16>(), stream);
  return {narrow_images_.data(), input_.get()};
}

void Network::backward(const Pass& pass, const Model::GradientsReady& ready) {
  View dy{gradient_.data(), layers_.back()->output().get()};
  void* spare = spare_.data();
  std::size_t end = architecture_.arena_floats;
  for (std::size_t i = layers_.size(); i-- > 0 && end > 0;) {
    const int weight = architecture_.layers[i].weight;
    void* const used = dy.data;
    dy = layers_[i]->backward(dy, spare, pass);
    if (dy.data == spare) spare = used;
    if (weight < 0) continue;
    const std::size_t begin = architecture_.tensors[static_cast<std::size_t>(weight)].offset;
    if (ready) ready(begin, end);
    end = begin;
  }
}

}  // namespace lockstep::runner
