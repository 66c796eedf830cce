// Blocks that run at the same time: none may touch what another writes, whatever it writes there. (Blocks that run one
// after the other on one OS thread are in order to TSan.) The values are compared elsewhere.
#include "tests/gpu_emulation/engine/engine.hpp"
#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {
namespace {

class Blocks : public OnDevice {
 protected:
  Blocks() { emulation::settings().os_threads = 4; }  // of any two blocks three in four are on different ones
  ~Blocks() override { emulation::settings().os_threads = 1; }
};

TEST_F(Blocks, OfElementwiseKernelsKeepApart) {
  const auto layout = plain({16, 1001});
  const Tensor x = filled(layout, random_matrix(16, 1001, 1));
  const Tensor y = empty(layout);
  const auto relu = make_relu(*device, layout, DataType::f32);
  relu->forward(x, y, *stream);
  relu->backward(x, y, empty(layout), *stream);
  make_dropout(*device, layout, 0.5F, DataType::f32)->forward(x, y, {1, 2, 3, 4}, *stream);
  const auto math = make_arena_math(*device);
  math->add(y.memory.as<float>(), x.memory.as<float>(), *stream);
  math->add(y.memory.as<float>().subspan(1), x.memory.as<float>().subspan(1), *stream);
  math->scale(y.memory.as<float>(), 2, *stream);
  const Buffer squares = device->allocate(sizeof(double));
  math->sum_of_squares(y.memory.as<float>(), static_cast<double*>(squares.data()), *stream);
  EXPECT_TRUE(std::isfinite(back<double>(squares)[0]));
}

TEST_F(Blocks, OfOptimizersKeepApart) {
  constexpr std::size_t count = 9001;
  const std::vector<ParameterRange> ranges = {{0, 4500, true}, {4501, count, false}};
  const Buffer p = moved(std::vector<float>(count, 1));
  const Buffer m = moved(std::vector<float>(count, 0));
  const Buffer v = moved(std::vector<float>(count, 0));
  make_sgd(*device, ranges)->run(p.as<float>(), p.as<float>(), v.as<float>(), {}, *stream);
  make_adamw(*device, ranges)->run(p.as<float>(), p.as<float>(), m.as<float>(), v.as<float>(), {}, *stream);
  EXPECT_TRUE(std::isfinite(back<float>(p).back()));
}

TEST_F(Blocks, OfLayersKeepApart) {
  for (const auto& [channels, kernel] : {std::array{3, 3}, {4, 2}}) {
    const auto conv = make_conv2d(*device, {2, channels, 13, 17, 4, kernel, 2, 1}, DataType::f32);
    const auto& in = conv->layouts();
    const Tensor x = filled(in.x, random_matrix(2, channels * 13 * 17, 1));
    const Tensor weight = filled(in.weight, random_matrix(4, channels * kernel * kernel, 2));
    const Tensor y = empty(in.y);
    conv->forward(x, weight, filled(in.bias, random_vector(4, 3)), y, *stream);
    conv->backward_data(y, weight, x, *stream);
    const auto pool = make_max_pool(*device, {in.x, kernel, 2}, DataType::f32);
    const Buffer winners = device->allocate(pool->workspace_bytes());
    const Tensor pooled = empty(pool->y());
    pool->forward(x, pooled, winners.data(), *stream);
    pool->backward(pooled, winners.data(), x, *stream);
    EXPECT_TRUE(std::isfinite(values(x).back()));
  }
}

TEST_F(Blocks, OfPooledConvolutionsKeepApart) {
  const PooledConv2dShape s{2, 18, 19, 18, 34};
  const auto conv = make_pooled_conv2d(*device, s, DataType::f32);
  const auto& in = conv->layouts();
  const Tensor x = filled(in.x, random_matrix(2, 18 * 19 * 18, 1));
  const Tensor weight = filled(in.weight, random_matrix(34, 18 * 9, 2));
  const Tensor bias = filled(in.bias, random_vector(34, 3));
  const Tensor y = empty(in.y);
  const Buffer winners = device->allocate(conv->workspace_bytes());
  conv->forward(x, weight, bias, y, winners.data(), *stream);
  const Tensor dx = empty(in.x);
  conv->backward(x, y, y, winners.data(), weight, dx, empty(in.dweight), bias, *stream);
  EXPECT_TRUE(std::isfinite(values(dx).back()));
}

TEST_F(Blocks, OfLossesAndColumnSumsKeepApart) {
  for (const std::int64_t classes : {70, 1100}) {
    const auto layout = plain({9, classes});
    const Tensor logits = filled(layout, random_matrix(9, classes, 1));
    const Buffer labels = moved(std::vector<std::int32_t>(9, 5));
    const Buffer sums = moved(std::vector<LossSums>(1));
    make_softmax_cross_entropy(*device, 9, classes, DataType::f32)
        ->run(logits, static_cast<const std::int32_t*>(labels.data()), 1, logits, static_cast<LossSums*>(sums.data()),
              *stream);
    EXPECT_TRUE(std::isfinite(back<LossSums>(sums)[0].loss));
  }
  const auto dense = make_dense(*device, {1100, 3, 70, false}, DataType::f32);
  const Tensor bias = empty(plain({70}));
  dense->backward_weights(filled(plain({1100, 3}), random_matrix(1100, 3, 1)),
                          filled(plain({1100, 70}), random_matrix(1100, 70, 2)), empty(plain({70, 3})), bias, *stream);
  EXPECT_TRUE(std::isfinite(values(bias).back()));
}

// More packs than a grid of 32 blocks has threads.
TEST_F(Blocks, ThatGoOnAfterTheirFirstPacksKeepApart) {
  constexpr std::size_t count = 50003;
  const Buffer wide = moved(std::vector<float>(count, 1));
  const Buffer narrow = device->allocate(count * sizeof(Bf16));
  make_cast(*device)->narrow(wide.as<float>(), narrow.as<Bf16>(), *stream);
  make_cast(*device)->widen(narrow.as<Bf16>(), wide.as<float>(), *stream);
  EXPECT_EQ(back<float>(wide).back(), 1);
  const EmbeddingShape s{1, 9, 3, 520, 160};
  const Buffer ids = moved(std::vector<std::int32_t>(9, 1));
  const Tensor dpositions = empty(plain({s.positions, s.columns}));
  make_embedding(*device, s, DataType::f32)
      ->backward(static_cast<const std::int32_t*>(ids.data()), filled(plain({9, 160}), random_matrix(9, 160, 1)),
                 filled(plain({3, 160}), random_matrix(3, 160, 2)), dpositions, *stream);
  EXPECT_TRUE(std::isfinite(values(dpositions).back()));
}

}  // namespace
}  // namespace lockstep::kernels
