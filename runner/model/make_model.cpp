// The model of the training loop: two arenas, and a network per batch size over them.
#include <map>

#include "common/error.hpp"
#include "kernels/initialize.hpp"
#include "runner/host_copy.hpp"
#include "runner/model/network.hpp"

namespace lockstep::runner {

using kernels::Bf16;
using kernels::DataType;

namespace {

class LayeredModel : public Model {
 public:
  LayeredModel(const ModelSpec& spec, int max_batch, kernels::Device& device)
      : architecture_(make_architecture(spec)),
        seed_(spec.seed),
        max_batch_(max_batch),
        device_(device),
        stream_(device.make_stream()),
        math_(kernels::make_arena_math(device)),
        parameters_(arena("parameters", sizeof(float))),
        gradients_(arena("gradients", sizeof(float))),
        type_(spec.type) {
    if (type_ == DataType::bf16) {
      cast_ = kernels::make_cast(device);
      rounded_parameters_ = arena("parameters in bfloat16", sizeof(Bf16));
      rounded_gradients_ = arena("gradients in bfloat16", sizeof(Bf16));
    }
    if (max_batch < 1) throw bad_input("a model needs batches of at least 1 sample, not {}", max_batch);
    initialize();
  }

  kernels::Device& device() override { return device_; }
  kernels::Stream& stream() override { return *stream_; }
  std::span<float> parameters() override { return parameters_.as<float>(); }
  std::span<float> gradients() override { return gradients_.as<float>(); }
  const std::vector<TensorInfo>& tensors() const override { return architecture_.tensors; }
  std::span<Bf16> rounded_parameters() override { return rounded_parameters_.as<Bf16>(); }
  void parameters_were_written() override {
    if (cast_) cast_->narrow(parameters(), rounded_parameters(), *stream_);
  }
  // Once forward, once for the weights' gradients, once for the inputs'.
  double training_flop_per_sample() const override {
    return 3 * architecture_.forward_flop - architecture_.first_layer_flop;
  }

  void train(const Batch& batch, float gradient_scale, const kernels::StepNumbers* now, kernels::LossSums* sums,
             const GradientsReady& ready) override {
    if (batch.count == 0) return train_on_nothing(ready);
    const Pass pass{*stream_, true, seed_, now, batch.first_in_global};
    network(batch.count).run(batch, gradient_scale, pass, sums, [&](std::size_t begin, std::size_t end) {
      if (cast_) {
        const auto rounded = rounded_gradients_.as<Bf16>().subspan(begin, end - begin);
        cast_->widen(rounded, gradients().subspan(begin, end - begin), *stream_);
      }
      if (ready) ready(begin, end);
    });
  }

  void evaluate(const Batch& batch, kernels::LossSums* sums) override {
    if (batch.count == 0) return;
    network(batch.count).run(batch, 0, {*stream_, false, seed_, nullptr, batch.first_in_global}, sums, {});
  }

 private:
  kernels::Buffer arena(const char* of_what, std::size_t bytes) {
    return with_purpose(of_what, [&] { return device_.allocate(architecture_.arena_floats * bytes); });
  }

  // Weights before a ReLU by He, the last layer's by Glorot, biases zero.
  void initialize() {
    HostCopy parameters(device_, *stream_, this->parameters());
    const std::size_t last = architecture_.tensors.size() - 2;
    for (std::size_t i = 0; i <= last; i += 2) {
      const TensorInfo& weight = architecture_.tensors[i];
      const std::int64_t out = weight.shape[0];
      const std::int64_t in = static_cast<std::int64_t>(weight.count) / out;
      const float bound = i == last ? kernels::glorot_bound(in, out) : kernels::he_bound(in);
      kernels::fill_uniform(parameters.values().subspan(weight.offset, weight.count), bound, seed_,
                            static_cast<std::uint32_t>(i));
    }
    parameters.give_back();
    parameters_were_written();
  }

  Network& network(int count) {
    if (count < 0 || count > max_batch_) {
      throw failure("a batch of {} samples was given to a model made for at most {}", count, max_batch_);
    }
    std::unique_ptr<Network>& planned = networks_[count];
    if (!planned) planned = std::make_unique<Network>(device_, architecture_, arenas(), count);
    return *planned;
  }

  NetworkArenas arenas() {
    if (cast_) return {rounded_parameters_.data(), rounded_gradients_.data(), type_};
    return {parameters_.data(), gradients_.data(), type_};
  }

  // A rank whose share of a batch is empty still takes part in every collective of the step, in the same order.
  void train_on_nothing(const GradientsReady& ready) {
    math_->zero(gradients(), *stream_);
    std::size_t end = architecture_.arena_floats;
    for (std::size_t i = architecture_.tensors.size(); i > 0; i -= 2) {
      const std::size_t begin = architecture_.tensors[i - 2].offset;
      if (ready) ready(begin, end);
      end = begin;
    }
  }

  Architecture architecture_;
  std::uint64_t seed_;
  int max_batch_;
  kernels::Device& device_;
  std::unique_ptr<kernels::Stream> stream_;
  std::unique_ptr<kernels::ArenaMath> math_;
  kernels::Buffer parameters_;
  kernels::Buffer gradients_;
  DataType type_;  // bfloat16: these three are there
  std::unique_ptr<kernels::Cast> cast_;
  kernels::Buffer rounded_parameters_;
  kernels::Buffer rounded_gradients_;
  std::map<int, std::unique_ptr<Network>> networks_;  // by batch size
};

}  // namespace

std::unique_ptr<Model> make_model(const ModelSpec& spec, int max_batch, kernels::Device& device) {
  return std::make_unique<LayeredModel>(spec, max_batch, device);
}

}  // namespace lockstep::runner
