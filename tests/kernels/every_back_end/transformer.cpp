// GELU, layer norm and embeddings against the reference. Tolerances as in layers.cpp: 1e-5 of the largest value.
#include <fmt/format.h>

#include "common/error.hpp"
#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {
namespace {

using Transformer = OnDevice;

// 513 x 160: more packs than an emulated GPU's grid has threads, so each must go on after its first.
TEST_F(Transformer, BiasGeluAgreesWithTheReferenceAtOddSizes) {
  in_every_type([&] {
    for (const auto& [rows, columns] :
         {std::array{1, 1}, {3, 31}, {33, 32}, {7, 33}, {2, 1023}, {520, 8}, {1, 4097}, {513, 160}}) {
      SCOPED_TRACE(fmt::format("{} x {}", rows, columns));
      const Matrix x = 4 * random(rows, columns, 1);
      const Vector bias = random(columns, 2);
      const Matrix dy = random(rows, columns, 3);
      const auto plan = make_bias_gelu(*device, rows, columns, type);
      const Tensor at_x = filled(plain({rows, columns}), x);
      const Tensor at_bias = filled(plain({columns}), bias);
      const Tensor y = empty(plain({rows, columns}));
      plan->forward(at_x, at_bias, y, *stream);
      EXPECT_TRUE(agrees(y, reference::bias_gelu(x, bias), tolerance(1e-6)));
      const Tensor dx = filled(plain({rows, columns}), dy);
      const Tensor dbias = empty(plain({columns}));
      plan->backward(at_x, at_bias, dx, dx, dbias, *stream);
      const auto want = reference::bias_gelu_backward(x, bias, dy);
      EXPECT_TRUE(agrees(dx, want.dx, tolerance(1e-6)));
      EXPECT_TRUE(agrees(dbias, want.dbias, tolerance(1e-5)));
    }
  });
}

// A single one of several operands that does not begin at a whole pack.
TEST_F(Transformer, BiasGeluTakesOperandsFromAnyPlace) {
  in_every_type([&] {
    const LayoutPtr layouts[] = {plain({3, 32}), plain({32}), plain({3, 32})};
    const auto plan = make_bias_gelu(*device, 3, 32, type);
    const auto forward = [&](int shifted) {
      Buffer memory[3];
      View views[3];
      for (int i = 0; i < 3; ++i) {
        const std::size_t skipped = i == shifted ? bytes_of(type) : 0;
        const auto at = static_cast<std::size_t>(i);
        const Tensor values = filled(layouts[at], random(layouts[at]->elements() / 32, 32, 1 + at));
        memory[at] = device->allocate(values.memory.bytes() + skipped);
        views[at] = {memory[at].as<std::byte>().data() + skipped, layouts[at].get()};
        device->copy(views[at].data, values.memory.data(), values.memory.bytes(), *stream);
      }
      plan->forward(views[0], views[1], views[2], *stream);
      const Tensor y = empty(layouts[2]);
      device->copy(y.memory.data(), views[2].data, y.memory.bytes(), *stream);
      return values(y);
    };
    const auto want = forward(-1);
    for (const int shifted : {0, 1, 2}) EXPECT_EQ(forward(shifted), want) << shifted;
  });
}

TEST_F(Transformer, GeluKeepsItsTailsAndSurvivesExtremes) {
  const auto row = plain({1, 9});
  const auto plan = make_bias_gelu(*device, 1, 9, DataType::f32);
  const float tiny = std::numeric_limits<float>::denorm_min();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x = filled(row, std::vector<float>{-1e30F, -5, -0.0F, tiny, 1e-20F, 5, 1e30F, 3e38F, nan});
  const Tensor zero = filled(plain({9}), std::vector<float>(9, 0.0F));
  const Tensor one = filled(row, std::vector<float>(9, 1.0F));
  const Tensor y = empty(row);
  const Tensor dx = empty(row);
  const Tensor dbias = empty(plain({9}));
  plan->forward(x, zero, y, *stream);
  plan->backward(x, zero, one, dx, dbias, *stream);
  const auto got = values(y);
  EXPECT_EQ(got[0], 0);
  EXPECT_NEAR(double{got[1]}, -2.2917961e-7, 1e-12);  // -5 * (1 - tanh(8.4487...)) / 2, in double precision
  EXPECT_EQ(got[2], 0);
  EXPECT_TRUE(got[3] == 0 || got[3] == tiny);  // half of it is a tie
  EXPECT_FLOAT_EQ(got[4], 0.5e-20F);
  EXPECT_FLOAT_EQ(got[5], 5);
  EXPECT_FLOAT_EQ(got[6], 1e30F);
  EXPECT_FLOAT_EQ(got[7], 3e38F);
  EXPECT_TRUE(std::isnan(got[8]));
  const auto slope = values(dx);
  Matrix five(1, 1);
  five << 5;
  const double at_five = reference::bias_gelu_backward(five, Vector::Zero(1), Matrix::Ones(1, 1)).dx(0, 0);
  EXPECT_TRUE(
      agree(std::span(slope).first(8), std::vector<double>{0, 1 - at_five, 0.5, 0.5, 0.5, at_five, 1, 1}, 3e-7));
  EXPECT_TRUE(std::isnan(slope[8]));
}

TEST_F(Transformer, LayerNormAgreesWithTheReferenceAtOddSizes) {
  in_every_type([&] {
    for (const auto& [rows, columns] :
         {std::array{1, 1}, {3, 31}, {33, 32}, {2, 33}, {600, 8}, {2, 1023}, {17, 264}, {2, 3200}, {1, 4097}}) {
      for (const bool adds : {false, true}) {
        SCOPED_TRACE(fmt::format("{} x {}, residual {}", rows, columns, adds));
        const auto layout = plain({rows, columns});
        const Matrix x = random(rows, columns, 1);
        const Matrix residual = 2 * random(rows, columns, 2);
        const Vector gamma = random(columns, 3);
        const Vector beta = random(columns, 4);
        const Matrix dy = random(rows, columns, 5);
        const Matrix dsum = random(rows, columns, 6);
        const auto plan = make_residual_layer_norm(*device, rows, columns, type);
        const Tensor at_x = filled(layout, x);
        const Tensor at_residual = filled(layout, residual);
        const Tensor at_gamma = filled(plain({columns}), gamma);
        const Tensor y = empty(layout);
        const Tensor sum = empty(layout);
        const Buffer mean = device->allocate(static_cast<std::size_t>(rows) * sizeof(float));
        const Buffer rstd = device->allocate(mean.bytes());
        plan->forward(at_x, adds ? ConstView(at_residual) : ConstView(), at_gamma, filled(plain({columns}), beta),
                      adds ? View(sum) : View(), y, mean.as<float>().data(), rstd.as<float>().data(), *stream);
        // What is normalised is the sum as it is stored.
        Matrix stored = adds ? Matrix(x + residual) : x;
        if (adds) {
          EXPECT_TRUE(agrees(sum, stored, tolerance(1e-6)));
          const auto got = values(sum);
          std::copy(got.begin(), got.end(), stored.data());
        }
        const auto want = reference::layer_norm(stored, gamma, beta);
        EXPECT_TRUE(agrees(y, want.y, tolerance(1e-5)));
        EXPECT_TRUE(agree(back<float>(mean), {want.mean.data(), static_cast<std::size_t>(rows)}, 1e-6));
        EXPECT_TRUE(agree(back<float>(rstd), {want.rstd.data(), static_cast<std::size_t>(rows)}, 1e-5));

        const Tensor dx = filled(layout, dsum);
        const Tensor dgamma = empty(plain({columns}));
        const Tensor dbeta = empty(plain({columns}));
        plan->backward(filled(layout, dy), adds ? ConstView(dx) : ConstView(), adds ? sum : at_x, at_gamma,
                       mean.as<float>().data(), rstd.as<float>().data(), dx, dgamma, dbeta, *stream);
        const auto gradients = reference::layer_norm_backward(stored, gamma, dy);
        EXPECT_TRUE(agrees(dx, adds ? Matrix(gradients.dx + dsum) : gradients.dx, tolerance(2e-5)));
        EXPECT_TRUE(agrees(dgamma, gradients.dgamma, tolerance(1e-5)));
        EXPECT_TRUE(agrees(dbeta, gradients.dbeta, tolerance(1e-5)));
      }
    }
  });
}

// Longer than 48 KiB, in whole packs of 16 bytes and not.
TEST_F(Transformer, LayerNormOfRowsThatNoBlockHoldsAgreesWithTheReference) {
  in_every_type([&] {
    for (const int columns : type == DataType::f32 ? std::array{12292, 13001} : std::array{24584, 24579}) {
      SCOPED_TRACE(columns);
      const auto layout = plain({2, columns});
      const Matrix x = random(2, columns, 1);
      const Vector gamma = random(columns, 2);
      const Matrix dy = random(2, columns, 3);
      const auto plan = make_residual_layer_norm(*device, 2, columns, type);
      const Tensor at_x = filled(layout, x);
      const Tensor at_gamma = filled(plain({columns}), gamma);
      const Tensor y = empty(layout);
      const Buffer statistics = device->allocate(4 * sizeof(float));
      float* mean = statistics.as<float>().data();
      plan->forward(at_x, {}, at_gamma, at_gamma, {}, y, mean, mean + 2, *stream);
      EXPECT_TRUE(agrees(y, reference::layer_norm(x, gamma, gamma).y, tolerance(1e-5)));
      const Tensor dx = empty(layout);
      const Tensor dgamma = empty(plain({columns}));
      const Tensor dbeta = empty(plain({columns}));
      plan->backward(filled(layout, dy), {}, at_x, at_gamma, mean, mean + 2, dx, dgamma, dbeta, *stream);
      const auto want = reference::layer_norm_backward(x, gamma, dy);
      EXPECT_TRUE(agrees(dx, want.dx, tolerance(1e-5)));
      EXPECT_TRUE(agrees(dgamma, want.dgamma, tolerance(1e-5)));
      EXPECT_TRUE(agrees(dbeta, want.dbeta, tolerance(1e-5)));
    }
  });
}

TEST_F(Transformer, LayerNormOfAConstantRowIsBeta) {
  const auto layout = plain({3, 5});
  std::vector<float> x(15, 0.0F);
  std::fill_n(x.begin() + 5, 5, 1e30F);
  std::fill_n(x.begin() + 10, 5, 1e-40F);
  const Tensor one = filled(plain({5}), std::vector<float>(5, 1.0F));
  const Tensor two = filled(plain({5}), std::vector<float>(5, 2.0F));
  const Tensor y = empty(layout);
  const Buffer statistics = device->allocate(6 * sizeof(float));
  float* mean = statistics.as<float>().data();
  make_residual_layer_norm(*device, 3, 5, DataType::f32)
      ->forward(filled(layout, x), {}, one, two, {}, y, mean, mean + 3, *stream);
  EXPECT_EQ(values(y), std::vector<float>(15, 2.0F));
}

std::vector<std::int32_t> ids_for(const EmbeddingShape& s) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(s.batch * s.length));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<std::int32_t>(i * i * 7 % static_cast<std::size_t>(s.vocabulary));
  }
  return ids;
}

// 520 x 160 positions: more packs than an emulated GPU's grid has threads.
TEST_F(Transformer, EmbeddingsAgreeWithTheReferenceAtOddSizes) {
  in_every_type([&] {
    for (const EmbeddingShape& s : {EmbeddingShape{1, 1, 1, 1, 1},
                                    {2, 31, 7, 33, 5},
                                    {3, 11, 100, 11, 32},
                                    {1, 33, 2, 40, 264},
                                    {5, 205, 300, 205, 8},
                                    {1, 300, 1, 300, 12},
                                    {1, 9, 3, 520, 160}}) {
      SCOPED_TRACE(fmt::format("{} x {} of {}, {} columns", s.batch, s.length, s.vocabulary, s.columns));
      const auto ids = ids_for(s);
      const Buffer at_ids = moved(ids);
      const auto* id = static_cast<const std::int32_t*>(at_ids.data());
      const Matrix tokens = random(s.vocabulary, s.columns, 1);
      const Matrix positions = random(s.positions, s.columns, 2);
      const Matrix dy = random(s.batch * s.length, s.columns, 3);
      const Matrix before = random(s.vocabulary, s.columns, 4);
      const auto plan = make_embedding(*device, s, type);
      const Tensor y = empty(plain({s.batch * s.length, s.columns}));
      plan->forward(id, filled(plain({s.vocabulary, s.columns}), tokens),
                    filled(plain({s.positions, s.columns}), positions), y, *stream);
      EXPECT_TRUE(agrees(y, reference::embedding(s, ids, tokens, positions), tolerance(1e-6)));
      const Tensor dtokens = filled(plain({s.vocabulary, s.columns}), before);
      const Tensor dpositions = filled(plain({s.positions, s.columns}), positions);
      plan->backward(id, filled(plain({s.batch * s.length, s.columns}), dy), dtokens, dpositions, *stream);
      const auto want = reference::embedding_backward(s, ids, dy);
      EXPECT_TRUE(agrees(dtokens, Matrix(before + want.dtokens), tolerance(1e-5)));
      EXPECT_TRUE(agrees(dpositions, want.dpositions, tolerance(1e-5)));
    }
  });
}

// What is easily taken for the same is told apart: GELU by its exact formula, a variance divided by columns - 1.
TEST_F(Transformer, NeighboursOfTheFormulasDoNotPass) {
  const Matrix x = 4 * random(3, 16, 1);
  const auto layout = plain({3, 16});
  const Tensor at_x = filled(layout, x);
  const Tensor zero = filled(plain({16}), Vector(Vector::Zero(16)));
  const Tensor one = filled(plain({16}), Vector(Vector::Ones(16)));
  const Tensor y = empty(layout);
  make_bias_gelu(*device, 3, 16, DataType::f32)->forward(at_x, zero, y, *stream);
  EXPECT_TRUE(agrees(y, reference::bias_gelu(x, Vector::Zero(16)), 1e-6));
  EXPECT_FALSE(agrees(y, Matrix(x.unaryExpr([](double u) { return u * std::erfc(-u / std::sqrt(2)) / 2; })), 1e-5));
  const Buffer statistics = device->allocate(6 * sizeof(float));
  float* mean = statistics.as<float>().data();
  make_residual_layer_norm(*device, 3, 16, DataType::f32)->forward(at_x, {}, one, zero, {}, y, mean, mean + 3, *stream);
  const Matrix want = reference::layer_norm(x, Vector::Ones(16), Vector::Zero(16)).y;
  EXPECT_TRUE(agrees(y, want, 1e-5));
  EXPECT_FALSE(agrees(y, Matrix(want * std::sqrt(15.0 / 16.0)), 1e-2));
}

TEST_F(Transformer, ImpossibleShapesAreRefused) {
  EXPECT_THROW(make_bias_gelu(*device, 0, 1, DataType::f32), Error);
  EXPECT_THROW(make_residual_layer_norm(*device, 1, 0, DataType::f32), Error);
  EXPECT_THROW(make_embedding(*device, {1, 5, 10, 4, 8}, DataType::f32), Error);
  EXPECT_THROW(make_attention(*device, {1, 5, 2, 129}, DataType::f32), Error);
  const auto plan = make_bias_gelu(*device, 2, 3, DataType::f32);
  const Tensor x = empty(plain({2, 3}));
  EXPECT_THROW(plan->forward(x, x, x, *stream), Error);
}

}  // namespace
}  // namespace lockstep::kernels
