#include "common/clock.hpp"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

TEST(Iso8601, AgreesWithKnownInstants) {
  EXPECT_EQ(iso8601(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso8601(951'782'399'999), "2000-02-28T23:59:59.999Z");
  EXPECT_EQ(iso8601(951'782'400'000), "2000-02-29T00:00:00.000Z");
}

TEST(DurationText, ChoosesTheUnitAPersonWould) {
  EXPECT_EQ(duration_text(850), "850 ms");
  EXPECT_EQ(duration_text(12'400), "12.4 s");
  EXPECT_EQ(duration_text(200'000), "3 min 20 s");
  EXPECT_EQ(duration_text(7'500'000), "2 h 05 min");
}

}  // namespace
}  // namespace lockstep
