// Attention against the reference: forward within 1e-5 of the largest value, gradients within 2e-5 (sums of up to 200
// products of sums). In bfloat16 backward also sees forward's result rounded: 2^-7.
#include <fmt/format.h>

#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {
namespace {

class Attentions : public OnDevice {
 protected:
  struct Results {
    Tensor out;
    Tensor dqkv;
  };
  Results run(const AttentionShape& s, const Matrix& qkv, const Matrix& dout) {
    const auto plan = make_attention(*device, s, type);
    const Tensor at_qkv = filled(plain({s.rows(), 3 * s.columns()}), qkv);
    const Tensor at_dout = filled(plain({s.rows(), s.columns()}), dout);
    Results made{empty(plain({s.rows(), s.columns()})), empty(plain({s.rows(), 3 * s.columns()}))};
    const Buffer log_sum_exp = device->allocate(static_cast<std::size_t>(s.rows() * s.heads) * sizeof(float));
    plan->forward(at_qkv, made.out, log_sum_exp.as<float>().data(), *stream);
    plan->backward(at_qkv, made.out, log_sum_exp.as<float>().data(), at_dout, made.dqkv, *stream);
    return made;
  }
};

TEST_F(Attentions, AgreeWithTheReferenceAtOddSizes) {
  in_every_type([&] {
    for (const AttentionShape& s : {AttentionShape{1, 1, 1, 1},
                                    {2, 31, 2, 3},
                                    {1, 32, 1, 64},
                                    {1, 65, 3, 8},
                                    {1, 33, 1, 128},
                                    {2, 5, 2, 80},
                                    {1, 9, 2, 37},
                                    {1, 129, 1, 16}}) {
      SCOPED_TRACE(fmt::format("{} x {}, {} heads of {}", s.batch, s.length, s.heads, s.head_size));
      const Matrix qkv = 2 * random(s.rows(), 3 * s.columns(), 1);
      const Matrix dout = random(s.rows(), s.columns(), 2);
      const Results got = run(s, qkv, dout);
      EXPECT_TRUE(agrees(got.out, reference::attention(s, qkv), tolerance(1e-5)));
      EXPECT_TRUE(agrees(got.dqkv, reference::attention_backward(s, qkv, dout), type == DataType::f32 ? 2e-5 : 0x1p-7));
    }
  });
}

// One head of six numbers is not two of three, and the gradient of a later query reaches an earlier key.
TEST_F(Attentions, OfOtherHeadsOrWithoutTheLastQueryDoNotPass) {
  const AttentionShape s{1, 9, 2, 3};
  const Matrix qkv = 2 * random(9, 18, 1);
  Matrix dout = random(9, 6, 2);
  const Results got = run(s, qkv, dout);
  EXPECT_TRUE(agrees(got.out, reference::attention(s, qkv), 1e-5));
  EXPECT_FALSE(agrees(got.out, reference::attention({1, 9, 1, 6}, qkv), 1e-2));
  EXPECT_TRUE(agrees(got.dqkv, reference::attention_backward(s, qkv, dout), 2e-5));
  dout.row(8).setZero();
  EXPECT_FALSE(agrees(got.dqkv, reference::attention_backward(s, qkv, dout), 1e-2));
}

// Scores of +-1e4: the softmax is one of the keys, and nothing overflows on the way.
TEST_F(Attentions, SurviveExtremeScores) {
  const AttentionShape s{1, 40, 1, 4};
  Matrix qkv = random(s.rows(), 12, 1);
  qkv.leftCols(8) *= 100;
  const Matrix dout = random(s.rows(), 4, 2);
  const Results got = run(s, qkv, dout);
  // A score's own rounding, 1e4 * 2^-24, is an error of 1e-3 in the softmax where two keys come close.
  EXPECT_TRUE(agrees(got.out, reference::attention(s, qkv), 2e-3));
  EXPECT_TRUE(agrees(got.dqkv, reference::attention_backward(s, qkv, dout), 2e-3));
}

TEST_F(Attentions, OfThePastDoNotDependOnTheFutureByABit) {
  const AttentionShape s{1, 70, 1, 8};
  Matrix qkv = random(s.rows(), 24, 1);
  const auto before = values(run(s, qkv, random(s.rows(), 8, 2)).out);
  qkv.row(69).setConstant(1e3);
  const auto after = values(run(s, qkv, random(s.rows(), 8, 2)).out);
  EXPECT_EQ(std::vector(before.begin(), before.end() - 8), std::vector(after.begin(), after.end() - 8));
  EXPECT_NE(before, after);
}

TEST_F(Attentions, OfANanKeyAreNanFromThereOn) {
  const AttentionShape s{1, 3, 1, 2};
  Matrix qkv = random(3, 6, 1);
  qkv(1, 2) = std::nan("");  // a key
  const auto out = values(run(s, qkv, random(3, 2, 2)).out);
  EXPECT_TRUE(std::isfinite(out[0]) && std::isfinite(out[1]));
  EXPECT_TRUE(std::isnan(out[2]) && std::isnan(out[4]));
}

}  // namespace
}  // namespace lockstep::kernels
