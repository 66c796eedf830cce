#include "runner/optimizer/optimizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "common/error.hpp"
#include "tests/unit/runner/fake_model.hpp"

namespace lockstep::runner {

// Three steps with constant gradients against the formulas in double precision; biases do not decay.
static void compare(const std::string& name, double (*wanted)(double parameter, double gradient, double decay)) {
  ModelSpec spec;
  spec.input = {1, 3, 5};
  spec.classes = 3;
  lockstep::testing::FakeModel model(spec);
  const auto optimizer = make_optimizer({name, 0.9, 0.99, 0.1, 0}, model, whole(model));
  std::vector<double> before;
  for (const TensorInfo& tensor : model.tensors()) {
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.count; ++i) {
      model.parameters()[i] = static_cast<float>(std::sin(static_cast<double>(i)));
      model.gradients()[i] = static_cast<float>(std::cos(static_cast<double>(i)));
    }
  }
  before.assign(model.parameters().begin(), model.parameters().end());
  for (int step = 0; step < 3; ++step) {
    const kernels::StepNumbers now = optimizer->numbers(0.05, step);
    optimizer->update(&now);
  }
  for (const TensorInfo& tensor : model.tensors()) {
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.count; ++i) {
      const double want = wanted(before[i], static_cast<double>(model.gradients()[i]), tensor.decay ? 0.1 : 0);
      EXPECT_NEAR(model.parameters()[i], want, 1e-6) << tensor.name << " " << i;
    }
  }
}

TEST(Optimizer, SgdFollowsItsFormula) {
  compare("sgd", [](double p, double g, double decay) {
    double v = 0;
    for (int step = 0; step < 3; ++step) {
      v = 0.9 * v + g + decay * p;
      p -= 0.05 * v;
    }
    return p;
  });
}

TEST(Optimizer, AdamWFollowsItsFormula) {
  compare("adamw", [](double p, double g, double decay) {
    double m = 0;
    double v = 0;
    for (int t = 1; t <= 3; ++t) {
      m = 0.9 * m + 0.1 * g;
      v = 0.99 * v + 0.01 * g * g;
      p -= 0.05 * decay * p;
      p -= 0.05 * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.99, t))) + 1e-8);
    }
    return p;
  });
}

// Gradients of norm 5 (3 and 4, the rest 0): clipped to 1 they are a fifth, to 10 themselves.
TEST(Optimizer, ClipsGradientsByTheirGlobalNorm) {
  for (const auto& [most, factor] : {std::pair{1.0, 0.2}, {10.0, 1.0}, {0.0, 1.0}}) {
    lockstep::testing::FakeModel model({});
    const auto optimizer = make_optimizer({"sgd", 0, 0, 0, most}, model, whole(model));
    std::ranges::fill(model.parameters(), 0.0F);
    std::ranges::fill(model.gradients(), 0.0F);
    model.gradients()[0] = 3;
    model.gradients()[100] = -4;
    const kernels::StepNumbers now = optimizer->numbers(1, 0);
    optimizer->update(&now);
    EXPECT_NEAR(model.parameters()[0], -3 * factor, 1e-6);
    EXPECT_NEAR(model.parameters()[100], 4 * factor, 1e-6);
    EXPECT_EQ(model.parameters()[1], 0);
  }
}

TEST(Optimizer, UnknownNamesAreRefused) {
  lockstep::testing::FakeModel model({});
  EXPECT_THROW(make_optimizer({"lion", 0, 0, 0, 0}, model, whole(model)), Error);
}

}  // namespace lockstep::runner
