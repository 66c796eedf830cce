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

// The norm of 4 gradients of 3 is 6.
TEST_F(Optimizers, ClippingScalesByTheNormAndNeverUp) {
  const auto sgd = make_sgd(*device, {{0, 4}});
  const auto adamw = make_adamw(*device, {{0, 4}});
  const Buffer g = moved(std::vector<float>(4, 3.0F));
  const Buffer norm = device->allocate(sizeof(double));
  auto* squares = static_cast<double*>(norm.data());
  make_arena_math(*device)->sum_of_squares(g.as<float>(), squares, *stream);
  const auto velocity = [&](float scale, float max_norm) {
    const Buffer p = device->allocate(g.bytes());
    const Buffer v = device->allocate(g.bytes());
    SgdStep step{1};
    step.gradient_scale = scale;
    step.clipping = {squares, max_norm};
    sgd->run(p.as<float>(), g.as<float>(), v.as<float>(), step, *stream);
    EXPECT_EQ(back<float>(p)[0], -back<float>(v)[0]);
    const Buffer m = device->allocate(g.bytes());
    AdamWStep other;
    other.beta1 = 0;
    other.gradient_scale = scale;
    other.clipping = {squares, max_norm};
    adamw->run(p.as<float>(), g.as<float>(), m.as<float>(), v.as<float>(), other, *stream);
    EXPECT_TRUE(agree(back<float>(m), std::vector<double>(4, double{-back<float>(p)[0]}), 1e-6));
    return back<float>(p)[0];
  };
  EXPECT_EQ(velocity(1, 1.5F), -0.75F);
  EXPECT_EQ(velocity(0.5F, 1.5F), -0.75F);  // of the scaled gradients, whose norm is 3
  EXPECT_EQ(velocity(0.5F, 100), -1.5F);
  EXPECT_EQ(velocity(1, 6), -3);
  EXPECT_EQ(velocity(1, 0), 0);
  const auto nan = std::vector{std::nan("")};
  device->copy(squares, nan.data(), sizeof(double), *stream);
  stream->synchronize();
  const Buffer p = device->allocate(g.bytes());
  const Buffer v = device->allocate(g.bytes());
  SgdStep step{1};
  step.clipping = {squares, 1};
  sgd->run(p.as<float>(), g.as<float>(), v.as<float>(), step, *stream);
  for (const float each : back<float>(p)) EXPECT_TRUE(std::isnan(each));
}

TEST_F(Optimizers, TheCopyIsTheRoundedParametersOfTheRangesAlone) {
  for (const std::size_t count : {1U, 31U, 33U, 4097U}) {
    const auto n = static_cast<std::int64_t>(count);
    const std::vector<ParameterRange> ranges = {{0, count / 2}, {count - 1, count}};
    const Buffer p = moved(floats(random_vector(n, 1)));
    const Buffer g = moved(floats(random_vector(n, 2)));
    const Buffer v = device->allocate(p.bytes());
    const Buffer m = device->allocate(p.bytes());
    const Buffer copy = moved(std::vector<Bf16>(count, Bf16{0x1234}));
    const auto expect_copied = [&] {
      const auto parameters = back<float>(p);
      const auto copied = back<Bf16>(copy);
      for (std::size_t i = 0; i < count; ++i) {
        const bool in_range = i < count / 2 || i + 1 == count;
        EXPECT_EQ(copied[i].bits, in_range ? to_bf16(parameters[i]).bits : 0x1234) << i;
      }
    };
    SgdStep sgd{0.1F};
    sgd.copy = copy.as<Bf16>();
    make_sgd(*device, ranges)->run(p.as<float>(), g.as<float>(), v.as<float>(), sgd, *stream);
    expect_copied();
    AdamWStep adamw{0.1F};
    adamw.copy = copy.as<Bf16>();
    make_adamw(*device, ranges)->run(p.as<float>(), g.as<float>(), m.as<float>(), v.as<float>(), adamw, *stream);
    expect_copied();
    sgd.copy = copy.as<Bf16>().first(count - 1);
    if (count == 1) continue;  // an empty copy is none
    EXPECT_THROW(make_sgd(*device, ranges)->run(p.as<float>(), g.as<float>(), v.as<float>(), sgd, *stream), Error);
  }
}

TEST_F(Optimizers, AddAddsAtOddSizes) {
  const auto math = make_arena_math(*device);
  for (const std::int64_t count : {1, 31, 32, 33, 4097}) {
    const Vector x = random_vector(count, 1);
    const Vector y = random_vector(count, 2);
    const Buffer at_x = moved(floats(x));
    const Buffer at_y = moved(floats(y));
    math->add(at_x.as<float>(), at_y.as<float>(), *stream);
    EXPECT_TRUE(agree(back<float>(at_x), span(Vector(x + y)), 1e-7));
    EXPECT_TRUE(agree(back<float>(at_y), span(y), 0));
  }
  const Buffer two = device->allocate(8);
  const Buffer three = device->allocate(12);
  EXPECT_THROW(math->add(two.as<float>(), three.as<float>(), *stream), Error);
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
