// Prints as JSON, a model a line, what the CUDA back-end's own kernels move in one step of training the default models,
// and what its matrix products compute: what the second table of docs/gpu-kernels.md is made from.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "runner/model/network.hpp"
#include "tests/ptx/on_interpreter/device.hpp"

namespace lockstep::ptx {

using kernels::Buffer;
using namespace runner;  // NOLINT(google-build-using-namespace)

namespace {

constexpr std::int64_t batch_size = 128;

struct Step {
  std::int64_t launches = 0;
  Counts counts;
  std::map<std::string, std::uint64_t> bytes_of_kernels;
};

Buffer zeros(kernels::Device& device, std::size_t count) { return device.allocate(count * sizeof(float)); }

Step run_step(const Architecture& model) {
  Step step;
  const auto device = make_device();
  const auto stream = device->make_stream();
  const Buffer parameters = zeros(*device, model.arena_floats);
  const Buffer gradients = zeros(*device, model.arena_floats);
  const Buffer velocity = zeros(*device, model.arena_floats);
  const Buffer images = zeros(*device, static_cast<std::size_t>(batch_size) * 28 * 28);
  const Buffer labels = zeros(*device, batch_size);
  const Buffer numbers = device->allocate(sizeof(kernels::StepNumbers));
  const Buffer sums = device->allocate(sizeof(kernels::LossSums));
  Network network(*device, model, {parameters.data(), gradients.data()}, batch_size);
  const auto sgd = kernels::make_sgd(*device, {{0, model.arena_floats, true}});
  interpreter().on_launch = [&](const LaunchRecord& record) {
    ++step.launches;
    step.counts += record.counts;
    step.bytes_of_kernels[record.kernel] += record.counts.sectors * sector_bytes;
  };
  const Batch batch{images.as<float>().data(), labels.as<std::int32_t>().data(), batch_size, 0};
  network.run(batch, 1.0F / batch_size, {*stream, true, 0, static_cast<const kernels::StepNumbers*>(numbers.data()), 0},
              static_cast<kernels::LossSums*>(sums.data()), {});
  sgd->run(parameters.as<float>(), gradients.as<float>(), velocity.as<float>(), {0.1F, 0.9F}, *stream);
  stream->synchronize();
  interpreter().on_launch = {};
  return step;
}

// The products (rows, inner) (inner, columns) of layers: forward, for the weights and, but for the first layer, for the
// data.
struct Products {
  double flops = 0;
  double bytes = 0;        // operands and result, each once
  double fused_bytes = 0;  // the same, where patches are made within the product from images of `input` elements
  int count = 0;
  void add(double rows, double inner, double columns, double input, bool first) {
    const int products = first ? 2 : 3;
    count += products;
    flops += products * 2 * rows * inner * columns;
    bytes += products * 4 * (rows * inner + inner * columns + rows * columns);
    fused_bytes += products * 4 * (input + inner * columns + rows * columns);
  }
};

// Also gives the elements that pooling leaves, each with a winner to be kept from forward to backward.
Products products_of(const Architecture& model, double& pooled) {
  Products all;
  double channels = model.input.channels;
  double places = double{1} * model.input.height * model.input.width;
  double features = channels * places;
  for (const LayerSpec& layer : model.layers) {
    if (const auto* convolution = std::get_if<Conv2dSpec>(&layer.what)) {
      const double rows = batch_size * places;
      all.add(rows, 9 * channels, convolution->channels, rows * channels, layer.weight == 0);
      channels = convolution->channels;
    } else if (std::holds_alternative<MaxPoolSpec>(layer.what)) {
      places /= 4;
      pooled += batch_size * channels * places;
    } else if (std::holds_alternative<FlattenSpec>(layer.what)) {
      features = channels * places;
    } else if (const auto* dense = std::get_if<DenseSpec>(&layer.what)) {
      all.add(batch_size, features, dense->units, batch_size * features, layer.weight == 0);
      features = dense->units;
    }
  }
  return all;
}

void print(const std::string& name) {
  ModelSpec spec;
  spec.name = name;
  const Architecture model = make_architecture(spec);
  const Step step = run_step(model);
  double pooled = 0;
  const Products products = products_of(model, pooled);
  std::vector<std::string> kernels;
  for (const auto& [kernel, bytes] : step.bytes_of_kernels) kernels.push_back(fmt::format("\"{}\": {}", kernel, bytes));
  // The optimizer's p, g, v and p, v; a byte of winner written and read. All else could be done where a product reads
  // or writes the value anyway.
  const double fused = 20.0 * static_cast<double>(model.arena_floats) + 2 * pooled;
  fmt::print(
      R"({{"model": "{}", "batch": {}, "parameters": {}, "launches": {}, "bytes": {}, "fewest_bytes": {}, )"
      R"("fused_bytes": {}, "products": {}, "product_flops": {}, "product_bytes": {}, "fused_product_bytes": {}, "kernels": {{{}}}}})"
      "\n",
      name, batch_size, model.arena_floats, step.launches, step.counts.sectors * sector_bytes,
      step.counts.bytes_read + step.counts.bytes_written, fused, products.count, products.flops, products.bytes,
      products.fused_bytes, fmt::join(kernels, ", "));
}

}  // namespace
}  // namespace lockstep::ptx

int main() {
  lockstep::ptx::print("mlp");
  lockstep::ptx::print("cnn");
}
