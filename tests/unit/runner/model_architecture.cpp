#include "runner/model/architecture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "runner/model/network.hpp"

namespace lockstep::runner {
namespace {

std::string refusal(const ModelSpec& spec) {
  try {
    make_architecture(spec);
  } catch (const Error& error) {
    return error.code() == ExitCode::bad_input ? error.what() : "not bad_input";
  }
  return "accepted";
}

TEST(Architecture, NamesAndShapesOfTheDefaultCnnAreThese) {
  const Architecture made = make_architecture({});
  std::vector<std::string> names;
  for (const TensorInfo& tensor : made.tensors) names.push_back(tensor.name);
  EXPECT_THAT(names, ::testing::ElementsAre("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "dense1.weight",
                                            "dense1.bias", "dense2.weight", "dense2.bias"));
  EXPECT_THAT(made.tensors[2].shape, ::testing::ElementsAre(64, 32, 3, 3));
  EXPECT_THAT(made.tensors[4].shape, ::testing::ElementsAre(128, 64 * 7 * 7));
  EXPECT_EQ(made.arena_floats, 288U + 32 + 18432 + 64 + 401408 + 128 + 1280 + 16);
}

TEST(Architecture, RefusesSpecsThatMakeNoSense) {
  ModelSpec spec;
  spec.name = "resnet";
  EXPECT_THAT(refusal(spec), ::testing::HasSubstr("unknown model 'resnet'"));
  spec = {};
  spec.layers = {8, 8, 8, 8, 8};
  EXPECT_THAT(refusal(spec), ::testing::HasSubstr("28x28 images allow 4 convolutions, not 5"));
  spec.layers = {8, 0};
  EXPECT_THAT(refusal(spec), ::testing::HasSubstr("convolution 2 needs at least 1 channel"));
  spec = {};
  spec.classes = 1;
  EXPECT_THAT(refusal(spec), ::testing::HasSubstr("at least 2 classes"));
  spec = {};
  spec.dense = 0;
  EXPECT_THAT(refusal(spec), ::testing::HasSubstr("at least 1 unit"));
  for (const float dropout : {-0.1F, 1.0F, std::nanf("")}) {
    spec = {};
    spec.dropout = dropout;
    EXPECT_THAT(refusal(spec), ::testing::HasSubstr("dropout"));
  }
  spec = {};
  spec.input.width = 0;
  EXPECT_THAT(refusal(spec), ::testing::HasSubstr("hold nothing"));
  EXPECT_THROW(make_model({}, 0, *kernels::make_cpu_device()), Error);
}

TEST(Architecture, ABatchLargerThanPlannedIsRefused) {
  const auto device = kernels::make_cpu_device();
  const auto model = make_model({}, 2, *device);
  kernels::LossSums sums;
  EXPECT_THROW(model->evaluate({nullptr, nullptr, 3, 0}, &sums), Error);
}

// Weights and their gradients are plain in the arenas, activations stay as the back-end likes them. The budget: each
// convolution's weight and gradient once, the second one's weight again for its backward half, and one copy each way
// between the last pooling and the dense layers.
TEST(Network, AStepOfTheCnnCopiesBetweenLayoutsAtMostSevenTimes) {
  const Architecture architecture = make_architecture({});
  const auto device = kernels::make_cpu_device();
  const auto stream = device->make_stream();
  std::vector<float> parameters(architecture.arena_floats, 0.01F);
  std::vector<float> gradients(architecture.arena_floats);
  const std::vector<float> images(std::size_t{8} * 784, 0.5F);
  const std::vector<std::int32_t> labels(8, 3);
  Network network(*device, architecture, {parameters.data(), gradients.data()}, 8);
  const std::int64_t before = device->counters().reorders;
  kernels::LossSums sums;
  network.run({images.data(), labels.data(), 8, 0}, 1, {*stream, true}, &sums, {});
  EXPECT_LE(device->counters().reorders - before, 7);
}

}  // namespace
}  // namespace lockstep::runner
