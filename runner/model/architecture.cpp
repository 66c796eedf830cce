#include "runner/model/architecture.hpp"

#include <fmt/format.h>

#include "common/error.hpp"

namespace lockstep::runner {
namespace {

constexpr std::size_t kAlignment = 16;  // floats: every tensor starts a cache line

class Builder {
 public:
  explicit Builder(const ModelSpec& spec) : spec_(spec), image_(spec.input) {
    made_.input = spec.input;
    made_.classes = spec.classes;
  }

  void convolution(int channels) {
    ++convolutions_;
    if (channels < 1) throw bad_input("cnn: convolution {} needs at least 1 channel, not {}", convolutions_, channels);
    if (image_.height < 2 || image_.width < 2) {
      throw bad_input(
          "cnn: no room is left for pooling after convolution {}: {}x{} images allow {} convolutions, not {}",
          convolutions_, spec_.input.height, spec_.input.width, convolutions_ - 1, spec_.layers.size());
    }
    add(PooledConv2dSpec{channels}, fmt::format("conv{}", convolutions_), {channels, image_.channels, 3, 3},
        image_.height * image_.width);
    image_ = {channels, image_.height / 2, image_.width / 2};
  }

  void flatten() {
    made_.layers.push_back({FlattenSpec{}});
    features_ = std::int64_t{image_.channels} * image_.height * image_.width;
  }

  void hidden(int units) {
    if (units < 1) throw bad_input("{}: a dense layer needs at least 1 unit, not {}", spec_.name, units);
    dense(units, true);
    made_.layers.push_back({ReluSpec{}});
    if (spec_.dropout > 0) made_.layers.push_back({DropoutSpec{spec_.dropout, dropouts_++}});
  }

  Architecture finish() {
    dense(spec_.classes, false);
    return std::move(made_);
  }

 private:
  void dense(int units, bool relu) {
    add(DenseSpec{units, relu}, fmt::format("dense{}", ++denses_), {units, features_}, 1);
    features_ = units;
  }

  // `places`: how often a sample's forward pass goes through the weight.
  template <class Spec>
  void add(const Spec& layer, const std::string& name, const std::vector<std::int64_t>& weight, int places) {
    const double flop = 2.0 * static_cast<double>(product_of(weight)) * places;
    if (made_.tensors.empty()) made_.first_layer_flop = flop;
    made_.forward_flop += flop;
    made_.layers.push_back({layer, static_cast<int>(made_.tensors.size())});
    tensor(name + ".weight", weight, true);
    tensor(name + ".bias", {weight[0]}, false);
  }

  void tensor(const std::string& name, const std::vector<std::int64_t>& shape, bool decay) {
    const std::size_t count = product_of(shape);
    made_.tensors.push_back({name, shape, made_.arena_floats, count, decay});
    made_.arena_floats += (count + kAlignment - 1) / kAlignment * kAlignment;
  }

  static std::size_t product_of(const std::vector<std::int64_t>& shape) {
    std::size_t product = 1;
    for (const std::int64_t extent : shape) product *= static_cast<std::size_t>(extent);
    return product;
  }

  const ModelSpec& spec_;
  Architecture made_;
  ImageShape image_;
  std::int64_t features_ = 0;
  int convolutions_ = 0;
  int denses_ = 0;
  std::uint32_t dropouts_ = 0;
};

void check(const ModelSpec& spec) {
  if (spec.input.channels < 1 || spec.input.height < 1 || spec.input.width < 1) {
    throw bad_input("{}: images of {} x {} x {} (channels, height, width) hold nothing", spec.name, spec.input.channels,
                    spec.input.height, spec.input.width);
  }
  if (spec.classes < 2) throw bad_input("{}: a classifier needs at least 2 classes, not {}", spec.name, spec.classes);
  if (!(spec.dropout >= 0 && spec.dropout < 1)) {
    throw bad_input("{}: dropout must be at least 0 and below 1, not {}", spec.name, spec.dropout);
  }
}

}  // namespace

Architecture make_architecture(const ModelSpec& spec) {
  if (spec.name != "mlp" && spec.name != "cnn") throw bad_input("unknown model '{}'; there are mlp and cnn", spec.name);
  check(spec);
  Builder builder(spec);
  if (spec.name == "mlp") {
    builder.flatten();
    for (const int units : spec.layers.empty() ? std::vector<int>{512, 512} : spec.layers) builder.hidden(units);
  } else {
    for (const int channels : spec.layers.empty() ? std::vector<int>{32, 64} : spec.layers) {
      builder.convolution(channels);
    }
    builder.flatten();
    builder.hidden(spec.dense);
  }
  return builder.finish();
}

}  // namespace lockstep::runner
