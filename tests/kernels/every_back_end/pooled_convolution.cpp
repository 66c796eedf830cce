// Convolution, pooling and ReLU in one, against the reference. Tolerances are relative to the largest value: 1e-4
// leaves room for Winograd's transforms, 1e-5 for sums of up to a few thousand float products.
#include <fmt/format.h>

#include "common/error.hpp"
#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {
namespace {

class PooledConvolution : public OnDevice {
 protected:
  struct Passed {
    Tensor y;
    Tensor dx;
    Tensor dweight;
    Tensor dbias;
  };
  // Forward and backward.
  template <class Values>
  Passed pass(const PooledConv2dShape& s, const Values& x, const Values& weight, const Values& bias, const Values& dy) {
    const auto plan = make_pooled_conv2d(*device, s, type);
    const Conv2d::Layouts& in = plan->layouts();
    const Buffer workspace = device->allocate(plan->workspace_bytes());
    const Tensor at_x = filled(in.x, x);
    Passed made{empty(in.y), empty(in.x), empty(in.dweight), empty(in.bias)};
    plan->forward(at_x, filled(in.weight, weight), filled(in.bias, bias), made.y, workspace.data(), *stream);
    const Tensor at_weight = s.x_is_data ? Tensor{} : filled(in.weight_backward, weight);
    const View dx = s.x_is_data ? View{} : View(made.dx);
    plan->backward(at_x, made.y, filled(in.y, dy), workspace.data(), at_weight, dx, made.dweight, made.dbias, *stream);
    stream->synchronize();
    return made;
  }
};

TEST_F(PooledConvolution, AgreesWithTheReferenceAtOddSizes) {
  in_every_type([&] {
    // One channel and many, a single window, last rows and columns that fill none, several tiles, several shares.
    for (const PooledConv2dShape& s : {PooledConv2dShape{1, 1, 2, 2, 1},
                                       {1, 3, 31, 33, 5},
                                       {2, 31, 7, 9, 33},
                                       {9, 1, 28, 28, 4, true},
                                       {1, 40, 5, 6, 70},
                                       {2, 8, 37, 20, 16},
                                       {3, 16, 4, 18, 16, true},
                                       {2, 70, 3, 2, 1}}) {
      SCOPED_TRACE(fmt::format("{} x {} x {} x {} -> {}, data {}", s.batch, s.in_channels, s.height, s.width,
                               s.out_channels, s.x_is_data));
      const Matrix x = random(s.batch, s.in_channels * s.height * s.width, 1);
      const Matrix w = random(s.out_channels, s.in_channels * 9, 2);
      const Matrix b = random(1, s.out_channels, 3);
      const Matrix dy = random(s.batch, s.out_channels * s.out_height() * s.out_width(), 4);
      const Passed got = pass(s, x, w, b, dy);
      EXPECT_TRUE(agrees(got.y, reference::pooled_conv2d(s, x, w, b.transpose()), tolerance(1e-4)));
      const auto gradients = reference::pooled_conv2d_backward(s, x, w, b.transpose(), dy);
      EXPECT_TRUE(agrees(got.dweight, gradients.dweight, tolerance(1e-4)));
      EXPECT_TRUE(agrees(got.dbias, gradients.dbias, tolerance(1e-5)));
      if (s.x_is_data) continue;
      EXPECT_TRUE(agrees(got.dx, gradients.dx, tolerance(1e-4)));
    }
  });
}

TEST_F(PooledConvolution, AnotherWeightAndAnotherGradientAreNoticed) {  // so the comparison can fail
  in_every_type([&] {
    const PooledConv2dShape s{2, 3, 9, 8, 5};
    const Matrix x = random(2, 3 * 9 * 8, 1);
    const Matrix w = random(5, 27, 2);
    const Matrix b = random(1, 5, 3);
    const Matrix dy = random(2, 5 * 4 * 4, 4);
    Matrix other = w;
    other(4, 26) += 0.25;
    const Passed got = pass(s, x, w, b, dy);
    EXPECT_FALSE(agrees(got.y, reference::pooled_conv2d(s, x, other, b.transpose()), tolerance(1e-4)));
    EXPECT_FALSE(agrees(got.dx, reference::pooled_conv2d_backward(s, x, other, b.transpose(), dy).dx, tolerance(1e-4)));
    Matrix other_dy = dy;
    other_dy(1, 79) += 2;
    const auto gradients = reference::pooled_conv2d_backward(s, x, w, b.transpose(), other_dy);
    EXPECT_FALSE(agrees(got.dweight, gradients.dweight, tolerance(1e-4)));
    EXPECT_FALSE(agrees(got.dbias, gradients.dbias, tolerance(1e-4)));
  });
}

// Only the middle of the kernel is 1, so that the convolution gives x back, plus the bias.
const std::vector<double> middle = {0, 0, 0, 0, 1, 0, 0, 0, 0};

TEST_F(PooledConvolution, ATieGoesToTheFirst) {
  in_every_type([&] {
    for (const auto& [x, dx] : {std::pair<std::vector<double>, std::vector<float>>{{0, 0, 0, 0}, {5, 0, 0, 0}},
                                {{0, 1, 1, 1}, {0, 5, 0, 0}},
                                {{0, 0, 1, 1}, {0, 0, 5, 0}},
                                {{0, 0, 0, 1}, {0, 0, 0, 5}}}) {
      const Passed got = pass({1, 1, 2, 2, 1}, x, middle, {1}, {5});
      EXPECT_EQ(values(got.dx), dx);
      EXPECT_EQ(values(got.dbias), std::vector<float>{5});
    }
  });
}

TEST_F(PooledConvolution, WhatIsNotAboveZeroPassesNoGradient) {
  in_every_type([&] {
    for (const double bias : {0.0, -1.0}) {
      const Passed got = pass({1, 1, 2, 2, 1}, {0, 0, 0, 0}, middle, {bias}, {5});
      EXPECT_EQ(values(got.y), std::vector<float>{0});
      EXPECT_EQ(values(got.dx), (std::vector<float>{0, 0, 0, 0}));
      EXPECT_EQ(values(got.dbias), std::vector<float>{0});
    }
  });
}

TEST_F(PooledConvolution, ExtremeValuesWinAndLose) {
  in_every_type([&] {
    const double large = 0x1p127;
    const double small = 0x1p-120;
    const Passed got = pass({1, 1, 2, 6, 1},
                            {-large, -large, large, -large, -1, small,  //
                             -large, -large, -large, -large, -large, -large},
                            middle, {0}, {1, 2, 3});
    EXPECT_EQ(values(got.y), (std::vector<float>{0, 0x1p127F, 0x1p-120F}));
    EXPECT_EQ(values(got.dx), (std::vector<float>{0, 0, 2, 0, 0, 3, 0, 0, 0, 0, 0, 0}));
  });
}

TEST_F(PooledConvolution, NanStaysNanOnCuda) {  // oneDNN's ReLU makes 0 of it
  if (device->kind() == DeviceKind::cpu) return;
  in_every_type([&] {
    // Each window meets it, the first one with its last place alone, the last one with all.
    std::vector<double> x(16, 1);
    x[2 * 4 + 2] = std::nan("");
    for (const float y : values(pass({1, 1, 4, 4, 1}, x, middle, {0}, {1, 1, 1, 1}).y)) EXPECT_TRUE(std::isnan(y));
  });
}

TEST_F(PooledConvolution, RefusesWhatItWasNotPlannedFor) {
  EXPECT_THROW(make_pooled_conv2d(*device, {1, 1, 1, 2, 1}, DataType::f32), Error);
  EXPECT_THROW(make_pooled_conv2d(*device, {1, 1, 2, 1, 1}, DataType::f32), Error);
  EXPECT_THROW(make_pooled_conv2d(*device, {1, 0, 2, 2, 1}, DataType::f32), Error);
  const auto plan = make_pooled_conv2d(*device, {2, 3, 4, 6, 5}, DataType::f32);
  const Conv2d::Layouts& in = plan->layouts();
  const Tensor x = empty(in.x);
  const Tensor y = empty(in.y);
  const Tensor weight = empty(in.weight);
  const Tensor bias = empty(in.bias);
  const Buffer workspace = device->allocate(plan->workspace_bytes());
  EXPECT_THROW(plan->forward(y, weight, bias, y, workspace.data(), *stream), Error);
  EXPECT_THROW(plan->forward(x, weight, bias, x, workspace.data(), *stream), Error);
  EXPECT_THROW(plan->forward(x, bias, bias, y, workspace.data(), *stream), Error);
  EXPECT_THROW(plan->forward(x, weight, weight, y, workspace.data(), *stream), Error);
  const auto backward = [&](const Tensor& of_x, const Tensor& of_dy, const Tensor& dx, const Tensor& dw,
                            const Tensor& db) {
    plan->backward(of_x, y, of_dy, workspace.data(), empty(in.weight_backward), dx, dw, db, *stream);
  };
  const Tensor dw = empty(in.dweight);
  EXPECT_THROW(backward(y, y, x, dw, bias), Error);
  EXPECT_THROW(backward(x, x, x, dw, bias), Error);
  EXPECT_THROW(backward(x, y, y, dw, bias), Error);
  EXPECT_THROW(backward(x, y, x, bias, bias), Error);
  EXPECT_THROW(backward(x, y, x, dw, dw), Error);
}

}  // namespace
}  // namespace lockstep::kernels
