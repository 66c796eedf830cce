#include "tests/ptx/traffic/step.hpp"

#include "runner/model/network.hpp"
#include "tests/ptx/on_interpreter/device.hpp"

namespace lockstep::ptx {

using kernels::Buffer;
using namespace runner;  // NOLINT(google-build-using-namespace)

namespace {

Buffer zeros(kernels::Device& device, std::size_t count) { return device.allocate(count * sizeof(float)); }

void run(const Architecture& model, std::int64_t batch_size, Step& step) {
  const auto device = make_device();
  const auto stream = device->make_stream();
  const Buffer parameters = zeros(*device, model.arena_floats);
  const Buffer gradients = zeros(*device, model.arena_floats);
  const Buffer velocity = zeros(*device, model.arena_floats);
  const Buffer images = zeros(*device, static_cast<std::size_t>(batch_size) * 28 * 28);
  const Buffer labels = zeros(*device, static_cast<std::size_t>(batch_size));
  const Buffer sums = device->allocate(sizeof(kernels::LossSums));
  const Buffer numbers = device->allocate(sizeof(kernels::StepNumbers));
  Network network(*device, model, {parameters.data(), gradients.data()}, batch_size);
  const auto sgd = kernels::make_sgd(*device, {{0, model.arena_floats, true}});
  interpreter().on_launch = [&](const LaunchRecord& record) {
    ++step.launches;
    step.counts += record.counts;
    step.of_kernels[record.kernel] += record.counts;
  };
  const Batch batch{images.as<float>().data(), labels.as<std::int32_t>().data(), static_cast<int>(batch_size), 0};
  const auto* now = static_cast<const kernels::StepNumbers*>(numbers.data());
  network.run(batch, 1.0F / static_cast<float>(batch_size), {*stream, true, 0, now, 0},
              static_cast<kernels::LossSums*>(sums.data()), {});
  sgd->run(parameters.as<float>(), gradients.as<float>(), velocity.as<float>(), {0.1F, 0.9F}, *stream);
  stream->synchronize();
  interpreter().on_launch = {};
}

// `input`, `result`: elements as they lie in memory, patches or not, pooled or not.
Products products_of(double rows, double inner, double columns, double input, double result, bool first) {
  const int count = first ? 2 : 3;
  return {count, count * 2 * rows * inner * columns, count * 4 * (input + inner * columns + result)};
}

}  // namespace

Step run_step(const std::string& name, std::int64_t batch_size) {
  ModelSpec spec;
  spec.name = name;
  const Architecture model = make_architecture(spec);
  Step step;
  step.parameters = model.arena_floats;
  // The optimizer's p, g, v and p, v.
  step.other_fewest_bytes = 20.0 * static_cast<double>(model.arena_floats);
  const auto batch = static_cast<double>(batch_size);
  double channels = model.input.channels;
  double places = double{1} * model.input.height * model.input.width;
  double features = channels * places;
  for (const LayerSpec& layer : model.layers) {
    if (const auto* convolution = std::get_if<PooledConv2dSpec>(&layer.what)) {
      const double rows = batch * places;
      const auto products = [&](double result) {
        return products_of(rows, 9 * channels, convolution->channels, rows * channels, result, layer.weight == 0);
      };
      step.convolutions += products(rows * convolution->channels);
      step.pooled += products(rows / 4 * convolution->channels);
      channels = convolution->channels;
      places /= 4;
      features = channels * places;
      step.other_fewest_bytes += 2 * batch * features;  // a byte of winner, written and read
    } else if (const auto* dense = std::get_if<DenseSpec>(&layer.what)) {
      step.dense +=
          products_of(batch, features, dense->units, batch * features, batch * dense->units, layer.weight == 0);
      features = dense->units;
    }
  }
  run(model, batch_size, step);
  return step;
}

}  // namespace lockstep::ptx
