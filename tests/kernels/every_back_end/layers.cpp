// Dense, convolution, pooling and ReLU against the reference. Tolerances are relative to the
// largest value: 1e-5 for sums of up to a few thousand float products, 1e-4 where Winograd's transforms add their own.
#include <fmt/format.h>

#include "common/error.hpp"
#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {
namespace {

using Layers = OnDevice;

TEST_F(Layers, DenseAgreesWithTheReferenceAtOddSizes) {
  in_every_type([&] {
    for (const auto& [rows, in, out] :
         {std::array{1, 1, 1}, {1, 33, 31}, {31, 1, 33}, {33, 31, 1}, {33, 784, 65}, {128, 512, 10}, {7, 1023, 129}}) {
      for (const auto& [relu, bias] : {std::array{false, true}, {true, true}, {false, false}, {true, false}}) {
        SCOPED_TRACE(fmt::format("{} x {} -> {}, relu {}, bias {}", rows, in, out, relu, bias));
        const Matrix x = random(rows, in, 1);
        const Matrix w = random(out, in, 2);
        const Vector b = random(out, 3);
        const Matrix dy = random(rows, out, 4);
        const auto plan = make_dense(*device, {rows, in, out, relu, bias}, type);
        const Tensor at_x = filled(plain({rows, in}), x);
        const Tensor at_w = filled(plain({out, in}), w);
        const Tensor at_dy = filled(plain({rows, out}), dy);
        const Tensor y = empty(plain({rows, out}));
        const Tensor at_b = filled(plain({out}), b);
        plan->forward(at_x, at_w, bias ? ConstView(at_b) : ConstView(), y, *stream);
        const Matrix want = reference::dense(x, w, bias ? b : Vector::Zero(out));
        EXPECT_TRUE(agrees(y, relu ? reference::relu(want) : want, tolerance(1e-5)));
        const Tensor dx = empty(plain({rows, in}));
        const Tensor dw = empty(plain({out, in}));
        const Tensor db = empty(plain({out}));
        plan->backward_data(at_dy, at_w, dx, *stream);
        plan->backward_weights(at_x, at_dy, dw, bias ? View(db) : View(), *stream);
        const auto gradients = reference::dense_backward(x, w, dy);
        EXPECT_TRUE(agrees(dx, gradients.dx, tolerance(1e-5)));
        EXPECT_TRUE(agrees(dw, gradients.dweight, tolerance(1e-5)));
        if (!bias) continue;
        EXPECT_TRUE(agrees(db, gradients.dbias, tolerance(1e-5)));
      }
    }
  });
}

TEST_F(Layers, ConvolutionAgreesWithTheReferenceAtOddSizes) {
  in_every_type([&] {
    std::vector<Conv2dShape> shapes = {
        {1, 1, 1, 1, 1},         {1, 1, 28, 28, 32},         {3, 2, 9, 31, 33},          {2, 31, 7, 7, 33},
        {33, 3, 8, 8, 16},       {2, 5, 11, 13, 7, 5, 2, 2}, {3, 16, 9, 9, 16, 1, 1, 0}, {2, 17, 12, 10, 9, 3, 2, 0},
        {1, 4, 6, 6, 4, 2, 1, 1}};
    // Sizes that the CPU's algorithms tell apart, and that take the emulator long.
    if (type == DataType::f32) shapes.push_back({8, 32, 14, 14, 64});
    if (device->kind() == DeviceKind::cpu) shapes.push_back({128, 32, 14, 14, 32});
    for (Conv2dShape s : shapes) {
      for (const bool data : {false, true}) {
        s.relu = data;
        s.x_is_data = data;
        SCOPED_TRACE(fmt::format("{} x {} x {} x {} -> {}, kernel {}, stride {}, padding {}, data {}", s.batch,
                                 s.in_channels, s.height, s.width, s.out_channels, s.kernel, s.stride, s.padding,
                                 data));
        const Matrix x = random(s.batch, s.in_channels * s.height * s.width, 1);
        const Matrix w = random(s.out_channels, s.in_channels * s.kernel * s.kernel, 2);
        const Vector b = random(s.out_channels, 3);
        const Matrix dy = random(s.batch, s.out_channels * s.out_height() * s.out_width(), 4);
        const auto plan = make_conv2d(*device, s, type);
        const Conv2d::Layouts& in = plan->layouts();
        const Tensor at_x = filled(in.x, x);
        const Tensor at_dy = filled(in.y, dy);
        const Tensor y = empty(in.y);
        plan->forward(at_x, filled(in.weight, w), filled(in.bias, b), y, *stream);
        const Matrix want = reference::conv2d(s, x, w, b);
        EXPECT_TRUE(agrees(y, s.relu ? reference::relu(want) : want, tolerance(1e-4)));
        const Tensor dw = empty(in.dweight);
        const Tensor db = empty(in.bias);
        plan->backward_weights(at_x, at_dy, dw, db, *stream);
        const auto gradients = reference::conv2d_backward(s, x, w, dy);
        EXPECT_TRUE(agrees(dw, gradients.dweight, tolerance(1e-4)));
        EXPECT_TRUE(agrees(db, gradients.dbias, tolerance(1e-5)));
        if (s.x_is_data) continue;
        const Tensor dx = empty(in.x);
        plan->backward_data(at_dy, filled(in.weight_backward, w), dx, *stream);
        // In bfloat16 a sum of up to 25 rounded products, each of them as large as the sum or larger.
        EXPECT_TRUE(agrees(dx, gradients.dx, type == DataType::f32 ? 1e-4 : 0x1p-6));
      }
    }
  });
}

TEST_F(Layers, MaxPoolingAgreesWithTheReferenceInAnyLayout) {
  in_every_type([&] {
    for (const auto& [batch, channels, height, width, kernel, stride] : {std::array{1, 1, 2, 2, 2, 2},
                                                                         {3, 31, 7, 9, 2, 2},
                                                                         {2, 33, 8, 8, 3, 2},
                                                                         {1, 3, 31, 33, 2, 2},
                                                                         {2, 5, 7, 9, 2, 3},
                                                                         {2, 3, 7, 12, 3, 2},
                                                                         {2, 16, 5, 5, 3, 1}}) {
      const Conv2dShape conv{batch, channels, height, width, channels};
      const auto blocked = make_conv2d(*device, conv, type)->layouts().y;
      for (const LayoutPtr& layout : {plain({batch, channels, height, width}), blocked}) {
        SCOPED_TRACE(fmt::format("{} channels, {} x {}, plain {}", channels, height, width, layout->plain()));
        const reference::PoolSize size{channels, height, width, kernel, stride};
        const Matrix x = random(batch, std::int64_t{channels} * height * width, 1);
        const Matrix want = reference::max_pool(size, x);
        const Matrix dy = random(batch, want.cols(), 2);
        const auto plan = make_max_pool(*device, {layout, kernel, stride}, type);
        const Buffer workspace = device->allocate(plan->workspace_bytes());
        const Tensor y = empty(plan->y());
        plan->forward(filled(layout, x), y, workspace.data(), *stream);
        EXPECT_TRUE(agrees(y, want, 0));
        const Tensor dx = empty(layout);
        plan->backward(filled(plan->y(), dy), workspace.data(), dx, *stream);
        EXPECT_TRUE(agrees(dx, reference::max_pool_backward(size, x, dy), tolerance(1e-6)));
      }
    }
  });
}

TEST_F(Layers, ATiedMaximumGivesItsGradientToTheFirst) {
  const auto layout = plain({1, 1, 2, 2});
  const auto plan = make_max_pool(*device, {layout, 2, 2}, DataType::f32);
  const Buffer workspace = device->allocate(plan->workspace_bytes());
  const Tensor y = empty(plan->y());
  plan->forward(filled(layout, std::vector<double>{0, 0, 0, 0}), y, workspace.data(), *stream);
  const Tensor dx = empty(layout);
  plan->backward(filled(plan->y(), std::vector<double>{5}), workspace.data(), dx, *stream);
  EXPECT_EQ(values(dx), (std::vector<float>{5, 0, 0, 0}));
}

TEST_F(Layers, ReluAgreesWithTheReferenceAndKeepsNan) {
  in_every_type([&] {
    for (const std::int64_t count : {1, 31, 33, 1023}) {
      const Matrix x = random(1, count, 1);
      const Matrix dy = random(1, count, 2);
      const auto layout = plain({count});
      const auto plan = make_relu(*device, layout, type);
      const Tensor y = empty(layout);
      plan->forward(filled(layout, x), y, *stream);
      EXPECT_TRUE(agrees(y, reference::relu(x), 0));
      const Tensor dx = empty(layout);
      plan->backward(y, filled(layout, dy), dx, *stream);
      EXPECT_TRUE(agrees(dx, reference::relu_backward(reference::relu(x), dy), 0));
    }
    const auto one = plain({1});
    const Tensor y = empty(one);
    make_relu(*device, one, type)->forward(filled(one, std::vector<double>{std::nan("")}), y, *stream);
    EXPECT_TRUE(std::isnan(values(y)[0]));
  });
}

TEST_F(Layers, AViewInAnotherLayoutIsRefused) {
  const auto plan = make_dense(*device, {2, 3, 4, false}, DataType::f32);
  const Tensor x = empty(plain({3, 2}));
  const Tensor w = empty(plain({4, 3}));
  const Tensor b = empty(plain({4}));
  const Tensor y = empty(plain({2, 4}));
  EXPECT_THROW(plan->forward(x, w, b, y, *stream), Error);
  EXPECT_THROW(make_conv2d(*device, {1, 1, 2, 2, 1, 5, 1, 1}, DataType::f32), Error);
  EXPECT_THROW(make_max_pool(*device, {plain({1, 1, 1, 4}), 2, 2}, DataType::f32), Error);
}

TEST_F(Layers, ReordersAreExactAndCounted) {
  in_every_type([&] {
    const auto blocked = make_conv2d(*device, {2, 33, 5, 7, 31}, type)->layouts().x;
    const Matrix x = random(2, 33 * 5 * 7, 1);
    const std::int64_t before = device->counters().reorders;
    const Tensor there = filled(blocked, x);
    EXPECT_TRUE(agrees(there, x, 0));
    EXPECT_EQ(device->counters().reorders, before + 2);
  });
}

}  // namespace
}  // namespace lockstep::kernels
