// Compiled with -ffp-contract=off (CMakeLists.txt), which is what makes the promise of the header.
#include "kernels/plain_math.hpp"

#include <cmath>
#include <limits>
#include <numbers>

namespace lockstep::kernels {

double power(double base, std::uint64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent >>= 1U) {
    if ((exponent & 1U) != 0) result *= base;
    base *= base;
  }
  return result;
}

// The Taylor series of cos (first_factor 1) and of sin(y) / y (2), after their 1: up to y = pi / 4 what is left out is
// below 1e-19.
static double series(double y, int first_factor) {
  constexpr int terms = 9;
  const double square = y * y;
  double sum = 0;
  for (int i = terms - 1; i >= 0; --i) {
    const int factor = 2 * i + first_factor;
    sum = -square / static_cast<double>(factor * (factor + 1)) * (1 + sum);
  }
  return sum;
}

double cosine_of_half_turns(double x) {
  if (x > 0.5) return -cosine_of_half_turns(1 - x);  // 1 - x and 0.5 - x are exact here
  if (x <= 0.25) return 1 + series(std::numbers::pi * x, 1);
  const double y = std::numbers::pi * (0.5 - x);
  return y + y * series(y, 2);
}

// x = m * 2^e with m from sqrt(1/2) to sqrt(2), and log(m) = 2 atanh(s) = 2 (s + s^3 / 3 + s^5 / 5 ...) with s =
// (m - 1) / (m + 1), at most 0.172: what is left out is below 1e-17 of it.
double natural_logarithm(double x) {
  if (std::isnan(x) || x < 0) return std::numeric_limits<double>::quiet_NaN();
  if (x == 0) return -std::numeric_limits<double>::infinity();
  if (std::isinf(x)) return x;
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 1 / std::numbers::sqrt2) {
    m *= 2;
    --exponent;
  }
  const double s = (m - 1) / (m + 1);
  const double square = s * s;
  double tail = 0;
  for (int power_of_s = 21; power_of_s >= 3; power_of_s -= 2) tail = square * (1.0 / power_of_s + tail);
  // ln 2 in two parts: the first has so few digits that its product with an exponent is exact
  constexpr double ln2 = 6.93147180369123816490e-01;
  constexpr double ln2_rest = 1.90821492927058770002e-10;
  const double e = exponent;
  return e * ln2 + (2 * s + (2 * s * tail + e * ln2_rest));
}

}  // namespace lockstep::kernels
