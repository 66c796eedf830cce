#include "kernels/optimizers.hpp"

#include "common/error.hpp"
#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {
namespace {

using Optimizers = OnDevice;

std::vector<float> floats(const Vector& values) { return {values.data(), values.data() + values.size()}; }
std::span<const double> span(const Vector& values) { return {values.data(), static_cast<std::size_t>(values.size())}; }

TEST_F(Optimizers, SgdAgreesWithTheReferenceOverManySteps) {
  for (const std::int64_t count : {1, 31, 33, 4097}) {
    for (const bool decay : {false, true}) {
      Vector p = random_vector(count, 1);
      Vector v = Vector::Zero(count);
      const Buffer at_p = moved(floats(p));
      const Buffer at_v = device->allocate(at_p.bytes());
      const auto plan = make_sgd(*device, {{0, static_cast<std::size_t>(count), decay}});
      const SgdStep step{0.05F, 0.9F, 0.01F, 0.5F};
      for (std::uint32_t i = 0; i < 20; ++i) {
        const Vector g = random_vector(count, 10 + i);
        reference::sgd(p, g, v, step, decay);
        plan->run(at_p.as<float>(), moved(floats(g)).as<float>(), at_v.as<float>(), step, *stream);
      }
      EXPECT_TRUE(agree(back<float>(at_p), span(p), 1e-5));
      EXPECT_TRUE(agree(back<float>(at_v), span(v), 1e-5));
    }
  }
}

TEST_F(Optimizers, AdamWAgreesWithTheReferenceOverManySteps) {
  for (const std::int64_t count : {1, 31, 33, 4097}) {
    for (const bool decay : {false, true}) {
      Vector p = random_vector(count, 1);
      Vector m = Vector::Zero(count);
      Vector v = Vector::Zero(count);
      const Buffer at_p = moved(floats(p));
      const Buffer at_m = device->allocate(at_p.bytes());
      const Buffer at_v = device->allocate(at_p.bytes());
      const auto plan = make_adamw(*device, {{0, static_cast<std::size_t>(count), decay}});
      AdamWStep step{0.01F};
      step.weight_decay = 0.1F;
      for (std::uint32_t i = 0; i < 20; ++i) {
        step.t = i + 1;
        const Vector g = random_vector(count, 10 + i);
        reference::adamw(p, g, m, v, step, decay);
        plan->run(at_p.as<float>(), moved(floats(g)).as<float>(), at_m.as<float>(), at_v.as<float>(), step, *stream);
      }
      EXPECT_TRUE(agree(back<float>(at_p), span(p), 1e-5));
      EXPECT_TRUE(agree(back<float>(at_v), span(v), 1e-5));
    }
  }
}

TEST_F(Optimizers, AddingIsExactWhateverTheAlignment) {
  for (const std::int64_t count : {1, 31, 33, 4097, 50003}) {
    for (const std::size_t shift : {0, 1}) {
      const auto size = static_cast<std::size_t>(count);
      std::vector<float> x(size + shift);
      std::vector<float> y(size + shift);
      for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = 1.0F / static_cast<float>(i + 3);
        y[i] = 1.0F / static_cast<float>(7 * i + 1);
      }
      const Buffer at_x = moved(x);
      const Buffer at_y = moved(y);
      make_arena_math(*device)->add(at_x.as<float>().subspan(shift), at_y.as<float>().subspan(shift), *stream);
      const auto got = back<float>(at_x);
      for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(got[i], i < shift ? x[i] : x[i] + y[i]) << i;
    }
  }
}

TEST_F(Optimizers, NothingOutsideTheRangesMovesAndDecayIsPerRange) {
  const Buffer p = moved(std::vector<float>(19, 1.0F));
  const Buffer g = moved(std::vector<float>(19, 0.0F));
  const Buffer v = moved(std::vector<float>(19, 0.0F));
  make_sgd(*device, {{0, 5, true}, {6, 9, false}, {9, 17, true}})
      ->run(p.as<float>(), g.as<float>(), v.as<float>(), {1.0F, 0.0F, 0.5F}, *stream);
  EXPECT_EQ(back<float>(p),
            (std::vector<float>{0.5, 0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 1}));
  EXPECT_THROW(make_sgd(*device, {{4, 8}, {0, 2}}), Error);
  const Buffer small = device->allocate(3 * sizeof(float));
  const auto plan = make_sgd(*device, {{0, 4}});
  EXPECT_THROW(plan->run(small.as<float>(), g.as<float>(), v.as<float>(), {}, *stream), Error);
}

TEST_F(Optimizers, NormScaleAndZeroWorkAtOddSizes) {
  const auto math = make_arena_math(*device);
  const Buffer squares = device->allocate(sizeof(double));
  auto* at_squares = static_cast<double*>(squares.data());
  for (const std::int64_t count : {1, 31, 33, 1000007}) {
    const Vector x = random_vector(count, 1);
    const Buffer at_x = moved(floats(x));
    math->sum_of_squares(at_x.as<float>(), at_squares, *stream);
    EXPECT_NEAR(back<double>(squares)[0], x.squaredNorm(), 1e-9 * static_cast<double>(count));
    math->scale(at_x.as<float>(), 0.5F, *stream);
    EXPECT_TRUE(agree(back<float>(at_x), span(Vector(0.5 * x)), 0));
    math->zero(at_x.as<float>(), *stream);
    const auto zeroed = back<float>(at_x);
    EXPECT_EQ(std::count(zeroed.begin(), zeroed.end(), 0.0F), count);
  }
  math->sum_of_squares({}, at_squares, *stream);
  EXPECT_EQ(back<double>(squares)[0], 0);
}

}  // namespace
}  // namespace lockstep::kernels
