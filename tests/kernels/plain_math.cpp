#include "kernels/plain_math.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace lockstep::kernels {

// long double is exact enough to measure a double's last place by.
static double units_off(double got, long double want) {
  const double near = static_cast<double>(want);
  const double unit = std::nextafter(std::fabs(near), std::numeric_limits<double>::infinity()) - std::fabs(near);
  return static_cast<double>(std::fabs(static_cast<long double>(got) - want)) / unit;
}

TEST(PlainMath, LogarithmIsWithinTwoUnitsOfTheLastPlace) {
  double worst = 0;
  for (int i = 1; i < 200'000; ++i) {
    for (const double x : {i * 1.7e-5, 1 + i * 3e-9, 1 - i * 2e-9, i * 1e300, i * 1e-300}) {
      worst = std::max(worst, units_off(natural_logarithm(x), std::log(static_cast<long double>(x))));
    }
  }
  EXPECT_LT(worst, 2);
  EXPECT_EQ(natural_logarithm(1), 0);
  EXPECT_EQ(natural_logarithm(2), std::numbers::ln2);
}

TEST(PlainMath, LogarithmEndsWhereLibmsDoes) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(natural_logarithm(0), -infinity);
  EXPECT_EQ(natural_logarithm(infinity), infinity);
  EXPECT_TRUE(std::isnan(natural_logarithm(-1)));
  EXPECT_TRUE(std::isnan(natural_logarithm(std::nan(""))));
  EXPECT_NEAR(natural_logarithm(5e-324), -744.4400719213812, 1e-12);
}

TEST(PlainMath, CosineIsWithin1eMinus15) {
  double worst = 0;
  for (int i = 0; i <= 200'000; ++i) {
    const double x = i / 200'000.0;
    const long double want = std::cos(std::numbers::pi_v<long double> * static_cast<long double>(x));
    worst = std::max(worst, static_cast<double>(std::fabs(static_cast<long double>(cosine_of_half_turns(x)) - want)));
  }
  EXPECT_LT(worst, 1e-15);
  EXPECT_EQ(cosine_of_half_turns(0), 1);
  EXPECT_EQ(cosine_of_half_turns(0.5), 0);
  EXPECT_EQ(cosine_of_half_turns(1), -1);
}

TEST(PlainMath, PowerIsAProduct) {
  EXPECT_EQ(power(0.5, 10), 1.0 / 1024);
  EXPECT_EQ(power(0.1, 0), 1);
  EXPECT_EQ(power(0.1, 1), 0.1);
  EXPECT_NEAR(power(0.93, 100) / std::pow(0.93, 100), 1, 1e-14);
}

}  // namespace lockstep::kernels
