// A model for tests of the training loop: softmax regression in plain loops, with dropout of its inputs that depends on
// (seed, step, position in the global batch), as a real model's does.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>

#include "runner/model/model.hpp"

namespace lockstep::testing {

class FakeModel final : public runner::Model {
 public:
  explicit FakeModel(const runner::ModelSpec& spec)
      : spec_(spec), pixels_(spec.input.channels * spec.input.height * spec.input.width) {
    const auto weights = static_cast<std::size_t>(pixels_) * static_cast<std::size_t>(spec.classes);
    bias_offset_ = (weights + 15) / 16 * 16;
    tensors_ = {{"dense.weight", {spec.classes, pixels_}, 0, weights, true},
                {"dense.bias", {spec.classes}, bias_offset_, static_cast<std::size_t>(spec.classes), false}};
    const std::size_t size = (bias_offset_ + static_cast<std::size_t>(spec.classes) + 15) / 16 * 16;
    parameter_memory_ = device_->allocate(size * sizeof(float));
    gradient_memory_ = device_->allocate(size * sizeof(float));
    for (std::size_t i = 0; i < weights; ++i) parameters()[i] = 0.02F * (noise(spec.seed, i, 0) - 0.5F);
  }

  kernels::Device& device() override { return *device_; }
  kernels::Stream& stream() override { return *stream_; }
  std::span<float> parameters() override { return parameter_memory_.as<float>(); }
  std::span<float> gradients() override { return gradient_memory_.as<float>(); }
  const std::vector<runner::TensorInfo>& tensors() const override { return tensors_; }
  double training_flop_per_sample() const override { return 0; }

  void train(const runner::Batch& batch, float gradient_scale, const kernels::StepNumbers* now, kernels::LossSums* sums,
             const GradientsReady& ready) override {
    if (before_step) before_step(now->step);
    std::ranges::fill(gradients(), 0.0F);
    run(batch, gradient_scale, now->step, true, *sums);
    ready(bias_offset_, gradients().size());  // from the end to the beginning, in two pieces
    ready(0, bias_offset_);
  }
  void evaluate(const runner::Batch& batch, kernels::LossSums* sums) override { run(batch, 0, 0, false, *sums); }

  std::function<void(std::uint64_t step)> before_step;

 private:
  static float noise(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    std::uint64_t x = a * 0x9e3779b97f4a7c15 + b * 0xbf58476d1ce4e5b9 + c * 0x94d049bb133111eb + 1;
    x ^= x >> 31;
    x *= 0xd6e8feb86659fd93;
    x ^= x >> 32;
    return static_cast<float>(x >> 40) * 0x1p-24F;
  }

  void run(const runner::Batch& batch, float scale, std::uint64_t step, bool training, kernels::LossSums& sums) {
    const std::span<float> parameters = this->parameters();
    const std::span<float> gradients = this->gradients();
    const auto classes = static_cast<std::size_t>(spec_.classes);
    const auto pixels = static_cast<std::size_t>(pixels_);
    std::vector<float> image(pixels);
    std::vector<double> score(classes);
    for (int i = 0; i < batch.count; ++i) {
      const auto position = static_cast<std::uint64_t>(batch.first_in_global + i);
      for (std::size_t p = 0; p < pixels; ++p) {
        const bool dropped = training && noise(spec_.seed + step * 7919, position, p) < spec_.dropout;
        image[p] = dropped ? 0 : batch.images[static_cast<std::size_t>(i) * pixels + p];
      }
      for (std::size_t c = 0; c < classes; ++c) {
        score[c] = static_cast<double>(parameters[bias_offset_ + c]);
        const float* weights = parameters.data() + c * pixels;
        for (std::size_t p = 0; p < pixels; ++p) score[c] += static_cast<double>(weights[p] * image[p]);
      }
      const auto best = static_cast<std::int32_t>(std::ranges::max_element(score) - score.begin());
      const double top = *std::ranges::max_element(score);
      double sum = 0;
      for (const double s : score) sum += std::exp(s - top);
      const std::int32_t label = batch.labels[i];
      sums.correct += best == label ? 1 : 0;
      sums.loss += std::log(sum) + top - score[static_cast<std::size_t>(label)];
      if (!training) continue;
      for (std::size_t c = 0; c < classes; ++c) {
        const double probability = std::exp(score[c] - top) / sum;
        const double truth = static_cast<std::int32_t>(c) == label ? 1 : 0;
        const auto slope = static_cast<float>(probability - truth) * scale;
        float* weights = gradients.data() + c * pixels;
        for (std::size_t p = 0; p < pixels; ++p) weights[p] += slope * image[p];
        gradients[bias_offset_ + c] += slope;
      }
    }
  }

  runner::ModelSpec spec_;
  int pixels_;
  std::size_t bias_offset_ = 0;
  std::vector<runner::TensorInfo> tensors_;
  std::unique_ptr<kernels::Device> device_ = kernels::make_cpu_device();
  std::unique_ptr<kernels::Stream> stream_ = device_->make_stream();
  kernels::Buffer parameter_memory_;
  kernels::Buffer gradient_memory_;
};

}  // namespace lockstep::testing
