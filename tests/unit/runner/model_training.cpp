// Models as the training loop sees them.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "kernels/philox.hpp"
#include "runner/model/model.hpp"

namespace lockstep::runner {
namespace {

// Learnable images: each class has its own pattern under noise. Values and labels depend on the index alone.
struct Images {
  explicit Images(const ModelSpec& spec, int count) : labels(static_cast<std::size_t>(count)) {
    const auto size = static_cast<std::size_t>(spec.input.channels * spec.input.height * spec.input.width);
    pixels.reserve(labels.size() * size);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      labels[i] = static_cast<std::int32_t>(kernels::philox4x32({static_cast<std::uint32_t>(i), 0, 0, 0}, {1, 0})[0] %
                                            static_cast<std::uint32_t>(spec.classes));
      for (std::size_t j = 0; j < size; ++j) pixels.push_back(pixel(i, j, labels[i]));
    }
    floats_per_image = size;
  }
  static float pixel(std::size_t i, std::size_t j, std::int32_t label) {
    const auto at = static_cast<std::uint32_t>(j);
    const auto noise = kernels::philox4x32({static_cast<std::uint32_t>(i), at, 0, 0}, {2, 0})[0];
    const auto pattern = kernels::philox4x32({static_cast<std::uint32_t>(label), at, 0, 0}, {3, 0})[0];
    return 2 * kernels::unit_interval(noise) - 1 + (kernels::unit_interval(pattern) - 0.5F);
  }
  Batch batch(int first, int count) const {
    return {&pixels[static_cast<std::size_t>(first) * floats_per_image], &labels[static_cast<std::size_t>(first)],
            count, first};
  }
  std::vector<float> pixels;
  std::vector<std::int32_t> labels;
  std::size_t floats_per_image = 0;
};

ModelSpec small(const std::string& name) {
  ModelSpec spec;
  spec.name = name;
  spec.input = {1, 12, 10};
  spec.classes = 5;
  spec.layers = name == "mlp" ? std::vector<int>{33, 17} : std::vector<int>{5, 16};
  spec.dense = 31;
  spec.seed = 7;
  return spec;
}

bool near(double got, double want, double tolerance) {
  return std::isfinite(got) && std::isfinite(want) && std::abs(got - want) <= tolerance;
}

// max |a - b| / max |b|, or NaN.
double difference(std::span<const float> a, std::span<const float> b) {
  double largest = 0;
  double scale = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double error = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!std::isfinite(error)) return std::nan("");
    largest = std::max(largest, error);
    scale = std::max(scale, std::abs(static_cast<double>(b[i])));
  }
  return largest / scale;
}

void descend(Model& model, float rate) {
  for (std::size_t i = 0; i < model.parameters().size(); ++i) model.parameters()[i] -= rate * model.gradients()[i];
}

// A model on a CPU, whose answers are there at once.
struct CpuModel {
  CpuModel(const ModelSpec& spec, int max_batch) : model(make_model(spec, max_batch, *device)) {}
  kernels::LossSums train(const Batch& batch, float scale, std::uint64_t step, const Model::GradientsReady& ready) {
    kernels::LossSums sums;
    const kernels::StepNumbers now{.step = step};
    model->train(batch, scale, &now, &sums, ready);
    return sums;
  }
  kernels::LossSums evaluate(const Batch& batch) {
    kernels::LossSums sums;
    model->evaluate(batch, &sums);
    return sums;
  }
  Model* operator->() { return model.get(); }
  Model& operator*() { return *model; }

  std::unique_ptr<kernels::Device> device = kernels::make_cpu_device();
  std::unique_ptr<Model> model;
};

class Models : public ::testing::TestWithParam<std::string> {};

TEST(ModelComparisons, DoNotLetNanOrWrongValuesThrough) {
  const std::vector<float> want = {1, 2};
  EXPECT_FALSE(near(std::nan(""), 1, 1e9));
  EXPECT_FALSE(near(1.1, 1, 0.01));
  EXPECT_FALSE(difference(std::vector<float>{std::nanf(""), 2}, want) <= 1e9);
  EXPECT_FALSE(difference(std::vector<float>{1, 2.1F}, want) <= 0.01);
}

// Along the gradient g of one tensor, the loss must change by |g|^2 per unit: (L(p + e g) - L(p - e g)) / (2 e).
TEST_P(Models, GradientsAreThoseOfFiniteDifferences) {
  const ModelSpec spec = small(GetParam());
  const Images images(spec, 33);
  CpuModel model(spec, 33);
  const auto loss = [&] { return model.evaluate(images.batch(0, 33)).loss / 33; };
  model.train(images.batch(0, 33), 1.0F / 33, 0, {});
  const std::vector<float> gradient(model->gradients().begin(), model->gradients().end());
  const std::vector<float> start(model->parameters().begin(), model->parameters().end());
  for (const TensorInfo& tensor : model->tensors()) {
    double squares = 0;
    for (std::size_t i = 0; i < tensor.count; ++i) squares += std::pow(double{gradient[tensor.offset + i]}, 2);
    const double e = 2e-3 / std::sqrt(squares);
    const auto loss_at = [&](double distance) {
      for (std::size_t i = tensor.offset; i < tensor.offset + tensor.count; ++i) {
        model->parameters()[i] = static_cast<float>(double{start[i]} + distance * double{gradient[i]});
      }
      const double found = loss();
      std::copy(start.begin(), start.end(), model->parameters().begin());
      return found;
    };
    const double slope = (loss_at(e) - loss_at(-e)) / (2 * e);
    EXPECT_TRUE(near(slope / squares, 1, 0.02)) << tensor.name << ": " << slope << " against " << squares;
  }
}

// By hand: mlp 120-33-17-5; cnn 5 and 16 channels at 12x10 and 6x5, then 240-31-5. The first layer's input wants none.
TEST(ModelFlop, CountsProductsAndConvolutions) {
  CpuModel mlp(small("mlp"), 1);
  EXPECT_EQ(mlp->training_flop_per_sample(), 2.0 * (2 * 120 * 33 + 3 * 33 * 17 + 3 * 17 * 5));
  CpuModel cnn(small("cnn"), 1);
  EXPECT_EQ(cnn->training_flop_per_sample(),
            2.0 * (2 * 9 * 1 * 5 * 120 + 3 * 9 * 5 * 16 * 30 + 3 * (16 * 3 * 2) * 31 + 3 * 31 * 5));
}

TEST_P(Models, ARunOfTrainingLowersTheLossAndLearns) {
  const ModelSpec spec = small(GetParam());
  const Images images(spec, 64);
  CpuModel model(spec, 64);
  const double first = model.evaluate(images.batch(0, 64)).loss / 64;
  for (std::uint64_t step = 0; step < 100; ++step) {
    model.train(images.batch(0, 64), 1.0F / 64, step, {});
    descend(*model, 0.1F);
  }
  const kernels::LossSums last = model.evaluate(images.batch(0, 64));
  EXPECT_TRUE(near(last.loss / 64, 0, first / 4)) << first << " to " << last.loss / 64;
  EXPECT_GE(last.correct, 60);
}

TEST_P(Models, HalfBatchesAddUpToTheWholeWithDropoutOn) {
  ModelSpec spec = small(GetParam());
  spec.dropout = 0.4F;
  const Images images(spec, 50);
  CpuModel model(spec, 50);
  const kernels::LossSums whole = model.train(images.batch(0, 50), 1.0F / 50, 3, {});
  const std::vector<float> want(model->gradients().begin(), model->gradients().end());
  const kernels::LossSums a = model.train(images.batch(0, 17), 1.0F / 50, 3, {});
  std::vector<float> sum(model->gradients().begin(), model->gradients().end());
  const kernels::LossSums b = model.train(images.batch(17, 33), 1.0F / 50, 3, {});
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += model->gradients()[i];
  EXPECT_LE(difference(sum, want), 2e-5);
  EXPECT_TRUE(near(a.loss + b.loss, whole.loss, 1e-4));
  EXPECT_EQ(a.correct + b.correct, whole.correct);
  const kernels::LossSums other_step = model.train(images.batch(0, 50), 1.0F / 50, 4, {});
  EXPECT_FALSE(near(other_step.loss, whole.loss, 1e-4));  // the dropout was on
}

TEST_P(Models, TheSameStepsGiveTheSameBits) {
  const ModelSpec spec = small(GetParam());
  const Images images(spec, 31);
  const auto run = [&] {
    CpuModel model(spec, 31);
    for (std::uint64_t step = 0; step < 5; ++step) {
      model.train(images.batch(0, 31), 1.0F / 31, step, {});
      descend(*model, 0.1F);
    }
    return std::vector<float>(model->parameters().begin(), model->parameters().end());
  };
  EXPECT_EQ(run(), run());
}

TEST_P(Models, GradientsAreAnnouncedFromTheEndToTheBeginningWithoutGaps) {
  const ModelSpec spec = small(GetParam());
  const Images images(spec, 3);
  CpuModel model(spec, 3);
  const auto announced = [&](int count) {
    std::vector<std::pair<std::size_t, std::size_t>> ranges;
    model.train(images.batch(0, count), 1, 0,
                [&](std::size_t begin, std::size_t end) { ranges.emplace_back(begin, end); });
    return ranges;
  };
  const auto ranges = announced(3);
  std::size_t expected_end = model->gradients().size();
  for (const auto& [begin, end] : ranges) {
    EXPECT_EQ(end, expected_end);
    EXPECT_LT(begin, end);
    expected_end = begin;
  }
  EXPECT_EQ(expected_end, 0U);
  EXPECT_EQ(ranges.size(), model->tensors().size() / 2);
  EXPECT_EQ(announced(0), ranges);  // an empty share of a batch takes part in the same collectives
  EXPECT_EQ(std::count(model->gradients().begin(), model->gradients().end(), 0.0F),
            static_cast<std::ptrdiff_t>(model->gradients().size()));
}

TEST_P(Models, TensorsAreAlignedInForwardOrderWithZeroPadding) {
  CpuModel model(small(GetParam()), 2);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(model->parameters().data()) % 64, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(model->gradients().data()) % 64, 0U);
  std::size_t end = 0;
  for (const TensorInfo& tensor : model->tensors()) {
    EXPECT_EQ(tensor.offset % 16, 0U) << tensor.name;
    EXPECT_GE(tensor.offset, end);
    for (std::size_t i = end; i < tensor.offset; ++i) EXPECT_EQ(model->parameters()[i], 0.0F);
    end = tensor.offset + tensor.count;
    EXPECT_EQ(tensor.decay, tensor.name.ends_with(".weight")) << tensor.name;
  }
  EXPECT_LE(end, model->parameters().size());
}

INSTANTIATE_TEST_SUITE_P(Each, Models, ::testing::Values("mlp", "cnn"),
                         [](const ::testing::TestParamInfo<std::string>& test) { return test.param; });

}  // namespace
}  // namespace lockstep::runner
