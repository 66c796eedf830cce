// Softmax cross-entropy, dropout and the generator behind it.
#include <limits>

#include "kernels/initialize.hpp"
#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {
namespace {

using Random = OnDevice;

class Losses : public OnDevice {
 protected:
  // Runs the plan once; dlogits may be none.
  LossSums run(SoftmaxCrossEntropy& plan, ConstView logits, const std::vector<std::int32_t>& labels, float scale,
               View dlogits) {
    const Buffer at_labels = moved(labels);
    const Buffer sums = moved(std::vector<LossSums>(1));
    plan.run(logits, static_cast<const std::int32_t*>(at_labels.data()), scale, dlogits,
             static_cast<LossSums*>(sums.data()), *stream);
    return back<LossSums>(sums)[0];
  }
};

std::vector<std::int32_t> labels_for(std::int64_t rows, std::int64_t classes) {
  std::vector<std::int32_t> labels(static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i * 7 % classes);
  return labels;
}

TEST_F(Losses, CrossEntropyAgreesWithTheReferenceAtOddSizes) {
  in_every_type([&] {
    for (const auto& [rows, classes] : {std::array{1, 2},
                                        {31, 10},
                                        {33, 31},
                                        {5, 33},
                                        {128, 10},
                                        {3, 300},
                                        {3, 1023},
                                        {2, 1500},
                                        {3, 4099},
                                        {4, 1},
                                        {2, 50257},
                                        {1, 120001}}) {
      SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(classes));
      const Matrix logits = rounded(20 * random_matrix(rows, classes, 1));
      const auto labels = labels_for(rows, classes);
      const auto want = reference::softmax_cross_entropy(logits, labels, 8);
      const auto plan = make_softmax_cross_entropy(*device, rows, classes, type);
      const auto layout = plain({rows, classes});
      const Tensor dlogits = empty(layout);
      const LossSums sums = run(*plan, filled(layout, logits), labels, 8, dlogits);
      EXPECT_TRUE(agrees(dlogits, want.dlogits, tolerance(1e-6)));
      EXPECT_NEAR(sums.loss, want.loss, 1e-6 * std::max(1.0, want.loss));
      EXPECT_EQ(sums.correct, want.correct);
      const LossSums alone = run(*plan, filled(layout, logits), labels, 0, {});
      EXPECT_EQ(alone.loss, sums.loss);
    }
  });
}

// Sizes around those where the CUDA back-end changes its way; every other row's label is its largest logit.
TEST_F(Losses, TheLargestLogitIsFoundAtAnyPlace) {
  for (const int classes : {1, 2, 31, 32, 33, 128, 129, 512, 513, 1024, 1025, 1600}) {
    const int rows = 9;
    const Matrix logits = random_matrix(rows, classes, 5).cast<float>().cast<double>();
    auto labels = labels_for(rows, classes);
    for (Eigen::Index row = 0; row < rows; row += 2) {
      Eigen::Index largest = 0;
      logits.row(row).maxCoeff(&largest);
      labels[static_cast<std::size_t>(row)] = static_cast<std::int32_t>(largest);
    }
    const auto want = reference::softmax_cross_entropy(logits, labels, 1);
    const auto plan = make_softmax_cross_entropy(*device, rows, classes, DataType::f32);
    const LossSums sums = run(*plan, filled(plain({rows, classes}), logits), labels, 1, {});
    EXPECT_GE(sums.correct, 5) << classes;
    EXPECT_EQ(sums.correct, want.correct) << classes;
    EXPECT_NEAR(sums.loss, want.loss, 1e-6 * want.loss) << classes;
  }
}

TEST_F(Losses, CrossEntropySurvivesExtremeLogits) {
  const auto layout = plain({2, 3});
  const std::vector<std::int32_t> labels = {0, 1};
  const Tensor dlogits = empty(layout);
  const auto plan = make_softmax_cross_entropy(*device, 2, 3, DataType::f32);
  const LossSums sums =
      run(*plan, filled(layout, std::vector<double>{1e30, -1e30, 0, -1e4, 0, 1e4}), labels, 1, dlogits);
  EXPECT_TRUE(agree(values(dlogits), std::vector<double>{0, 0, 0, 0, -1, 1}, 1e-7));
  EXPECT_NEAR(sums.loss, 1e4, 1e-3);
  EXPECT_EQ(sums.correct, 1);
}

TEST_F(Losses, ANanLogitMakesTheLossNan) {
  const auto layout = plain({1, 3});
  for (const int place : {0, 1, 2}) {
    std::vector<double> logits = {0, 0, 0};
    logits[static_cast<std::size_t>(place)] = std::nan("");
    const auto plan = make_softmax_cross_entropy(*device, 1, 3, DataType::f32);
    EXPECT_TRUE(std::isnan(run(*plan, filled(layout, logits), {0}, 1, {}).loss)) << place;
  }
}

// Two equal ones side by side: in one thread's hands, in those of two, of two warps.
TEST_F(Losses, OfEqualLogitsTheFirstIsTheAnswer) {
  for (const int classes : {2, 40, 1100}) {
    const auto layout = plain({2, classes});
    const auto plan = make_softmax_cross_entropy(*device, 2, classes, DataType::f32);
    for (const int first : {0, 3, 7, 31, 127, 1023}) {
      if (first + 1 >= classes) continue;
      Matrix logits = Matrix::Zero(2, classes);
      logits.middleCols(first, 2).setConstant(3);
      EXPECT_EQ(run(*plan, filled(layout, logits), {first, first}, 1, {}).correct, 2) << classes << " " << first;
      EXPECT_EQ(run(*plan, filled(layout, logits), {first + 1, first + 1}, 1, {}).correct, 0)
          << classes << " " << first;
    }
  }
}

// The known answers that Random123 publishes (examples/kat_vectors, philox4x32 10).
TEST_F(Random, PhiloxGivesThePublishedAnswers) {
  constexpr std::uint32_t all = 0xffffffffU;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (PhiloxCounter{0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U}));
  EXPECT_EQ(philox4x32({all, all, all, all}, {all, all}),
            (PhiloxCounter{0x408f276dU, 0x41c83b0eU, 0xa20bc7c6U, 0x6d5451fdU}));
  EXPECT_EQ(philox4x32({0x243f6a88U, 0x85a308d3U, 0x13198a2eU, 0x03707344U}, {0xa4093822U, 0x299f31d0U}),
            (PhiloxCounter{0xd16cfe09U, 0x94fdcceb, 0x5001e420U, 0x24126ea1U}));
}

TEST_F(Random, DropoutKeepsWhatTheReferenceKeeps) {
  in_every_type([&] {
    for (const auto& [rows, columns] : {std::array{1, 1}, {3, 31}, {2, 33}, {5, 65}, {4, 1023}}) {
      for (const float rate : {0.0F, 0.25F, 0.9F}) {
        const DropoutKey key{0x123456789abcdefULL, 3, (std::uint64_t{1} << 33U) + 5, 1000};
        const Matrix x = random(rows, columns, 1);
        const Matrix factors = reference::dropout_factors(rows, columns, double{rate}, key);
        const auto layout = plain({rows, columns});
        const auto plan = make_dropout(*device, layout, rate, type);
        const Tensor y = empty(layout);
        plan->forward(filled(layout, x), y, key, *stream);
        EXPECT_TRUE(agrees(y, Matrix(x.cwiseProduct(factors)), tolerance(1e-6)));
        const Tensor dx = empty(layout);
        plan->backward(filled(layout, x), dx, key, *stream);
        EXPECT_EQ(values(dx), values(y));
      }
    }
  });
}

TEST_F(Random, DropoutDropsItsShareAndDiffersByStepLayerAndSeed) {
  const auto layout = plain({100, 100});
  const auto plan = make_dropout(*device, layout, 0.3F, DataType::f32);
  const auto kept = [&](const DropoutKey& key) {
    const Tensor y = empty(layout);
    plan->forward(filled(layout, Matrix(Matrix::Ones(100, 100))), y, key, *stream);
    return values(y);
  };
  const auto first = kept({1, 0, 0, 0});
  const auto zeros = std::count(first.begin(), first.end(), 0.0F);
  EXPECT_NEAR(static_cast<double>(zeros), 3000, 200);  // 4.4 standard deviations
  EXPECT_EQ(kept({1, 0, 0, 0}), first);
  EXPECT_NE(kept({2, 0, 0, 0}), first);
  EXPECT_NE(kept({1, 1, 0, 0}), first);
  EXPECT_NE(kept({1, 0, 1, 0}), first);
}

TEST_F(Random, DropoutDoesNotSeeHowABatchIsSplit) {
  const Matrix x = random_matrix(10, 37, 1);
  const auto run = [&](const Matrix& part, std::int64_t first) {
    const auto layout = plain({part.rows(), 37});
    const Tensor y = empty(layout);
    make_dropout(*device, layout, 0.5F, DataType::f32)->forward(filled(layout, part), y, {7, 0, 2, first}, *stream);
    return values(y);
  };
  const auto whole = run(x, 0);
  auto joined = run(x.topRows(3), 0);
  const auto rest = run(x.bottomRows(7), 3);
  joined.insert(joined.end(), rest.begin(), rest.end());
  EXPECT_EQ(joined, whole);
}

TEST_F(Random, InitialWeightsAreFixedBoundedAndUncorrelated) {
  std::vector<float> a(1001);
  std::vector<float> b(1001);
  fill_uniform(a, 0.5F, 42, 0);
  fill_uniform(b, 0.5F, 42, 1);
  const auto words = philox4x32({1, 0, 0, 0}, philox_key(42, RandomPurpose::initial_weights));
  EXPECT_EQ(a[6], (2 * unit_interval(words[2]) - 1) * 0.5F);
  double sum = 0;
  double product = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(a[i] >= -0.5F && a[i] < 0.5F);
    sum += double{a[i]};
    product += double{a[i]} * double{b[i]};
  }
  EXPECT_NEAR(sum / 1001, 0, 0.04);
  EXPECT_NEAR(product / 1001, 0, 0.02);
  EXPECT_FLOAT_EQ(he_bound(6), 1);
  EXPECT_FLOAT_EQ(glorot_bound(2, 4), 1);
}

}  // namespace
}  // namespace lockstep::kernels
