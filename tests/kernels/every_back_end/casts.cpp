// Casts between float32 and bfloat16 against what rounding means: the nearer neighbour, of two equally near the even
// one.
#include <limits>

#include "common/error.hpp"
#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {
namespace {

class Casts : public OnDevice {
 protected:
  std::vector<std::uint16_t> narrowed(const std::vector<float>& values) {
    const Buffer to = device->allocate(values.size() * sizeof(Bf16));
    make_cast(*device)->narrow(moved(values).as<float>(), to.as<Bf16>(), *stream);
    return back<std::uint16_t>(to);
  }
  std::vector<float> widened(const std::vector<std::uint16_t>& bits) {
    const Buffer to = device->allocate(bits.size() * sizeof(float));
    make_cast(*device)->widen(moved(bits).as<Bf16>(), to.as<float>(), *stream);
    return back<float>(to);
  }
};

// Every tenth or so of all finite numbers, denormals among them, of both signs.
TEST_F(Casts, RoundToTheNearestAndOfTwoToTheEven) {
  std::vector<std::uint16_t> neighbours;
  for (unsigned bits = 0; bits < 0x7F7F; bits += bits < 16 ? 1 : 11) {
    for (const unsigned sign : {0x0000U, 0x8000U}) {
      neighbours.push_back(static_cast<std::uint16_t>(bits | sign));
      neighbours.push_back(static_cast<std::uint16_t>((bits + 1) | sign));
    }
  }
  const auto exact = widened(neighbours);
  std::vector<float> values;
  std::vector<std::uint16_t> want;
  for (std::size_t i = 0; i < neighbours.size(); i += 2) {
    const float middle = static_cast<float>((double{exact[i]} + double{exact[i + 1]}) / 2);  // is a float
    const auto even = neighbours[i] % 2 == 0 ? neighbours[i] : neighbours[i + 1];
    values.insert(values.end(),
                  {exact[i], std::nextafter(middle, exact[i]), middle, std::nextafter(middle, exact[i + 1])});
    want.insert(want.end(), {neighbours[i], neighbours[i], even, neighbours[i + 1]});
  }
  EXPECT_EQ(narrowed(values), want);
}

TEST_F(Casts, KeepNanInfinityAndSigns) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float largest = std::numeric_limits<float>::max();
  EXPECT_EQ(narrowed({infinity, -infinity, largest, -largest, -0.0F, 1, -1.5F}),
            (std::vector<std::uint16_t>{0x7F80, 0xFF80, 0x7F80, 0xFF80, 0x8000, 0x3F80, 0xBFC0}));
  // The payload of the first lies in the half that is cut off.
  const auto nans = narrowed({std::bit_cast<float>(0x7F800001U), std::bit_cast<float>(0xFFC12345U)});
  EXPECT_EQ(nans, (std::vector<std::uint16_t>{0x7FC0, 0xFFC1}));
  for (const float each : widened(nans)) EXPECT_TRUE(std::isnan(each));
}

TEST_F(Casts, WorkAtOddSizesAndPlaces) {
  for (const std::size_t count : {1U, 31U, 32U, 33U, 1023U, 4097U}) {
    const Vector random = random_vector(static_cast<std::int64_t>(count) + 1, 1);
    const Buffer from = moved(std::vector<float>(random.data(), random.data() + random.size()));
    const Buffer to = moved(std::vector<std::uint16_t>(count + 2, 0x1234));
    make_cast(*device)->narrow(from.as<float>().subspan(1), to.as<Bf16>().subspan(1, count), *stream);
    const auto got = back<std::uint16_t>(to);
    EXPECT_EQ(got.front(), 0x1234);
    EXPECT_EQ(got.back(), 0x1234);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_LE(std::abs(double{to_f32({got[i + 1]})} - random[static_cast<std::int64_t>(i) + 1]), 0x1p-9);
    }
  }
  const Buffer four = device->allocate(4 * sizeof(float));
  EXPECT_THROW(make_cast(*device)->narrow(four.as<float>(), four.as<Bf16>(), *stream), Error);
}

}  // namespace
}  // namespace lockstep::kernels
