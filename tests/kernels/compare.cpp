// The comparisons themselves: what they must not let through.
#include "tests/kernels/compare.hpp"

#include <limits>

namespace lockstep::kernels {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Agree, RefusesNanInfinityAndWrongValues) {
  const std::vector<double> want = {1, 2, 3};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(agree(std::vector<float>{1, 2, 3}, want, 1e-6));
  EXPECT_FALSE(agree(std::vector<float>{1, nan, 3}, want, 1e9));
  EXPECT_FALSE(agree(std::vector<float>{1, infinity, 3}, want, 1e9));
  EXPECT_FALSE(agree(std::vector<float>{1, 2.0001F, 3}, want, 1e-6));
  EXPECT_FALSE(agree(std::vector<float>{1, 2}, want, 1e-6));
  EXPECT_FALSE(agree(std::vector<float>{1, 2, 3}, std::vector<double>{1, 2, kNan}, 1e9));
}

TEST(Agree, RefusesNanAndWrongValuesInMatrices) {
  Matrix want = Matrix::Constant(2, 2, 1.0);
  Matrix got = want;
  EXPECT_TRUE(agree(got, want, 1e-12));
  got(1, 1) = 1.001;
  EXPECT_FALSE(agree(got, want, 1e-6));
  got(1, 1) = kNan;
  EXPECT_FALSE(agree(got, want, 1e9));
}

TEST(NumericGradient, FindsAWrongGradient) {
  const Matrix at = random_matrix(2, 3, 1);
  const Matrix found = numeric_gradient([](const Matrix& x) { return x.squaredNorm(); }, at);
  EXPECT_TRUE(agree(found, 2 * at, 1e-8));
  EXPECT_FALSE(agree(found, 2.01 * at, 1e-8));
}

}  // namespace
}  // namespace lockstep::kernels
