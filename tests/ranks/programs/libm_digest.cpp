// Prints a digest of what libm's logarithm, cosine and power give, so that a test can tell two of its variants apart.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>

int main() {
  std::uint64_t digest = 1;
  const auto mix = [&](double value) { digest = (digest ^ std::bit_cast<std::uint64_t>(value)) * 0x100000001b3; };
  for (int i = 1; i < 500'000; ++i) {
    const double x = i * 1.00000012e-5;
    mix(std::log(x));
    mix(std::cos(x));
    mix(std::pow(x, 7.3));
  }
  std::printf("%016llx\n", static_cast<unsigned long long>(digest));
}
