#include "common/uuid.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>

namespace lockstep {
namespace {

// RFC 9562, appendix A.6. The digits of version and variant are not the caller's.
TEST(OrderedUuid, IsThePublishedOne) {
  EXPECT_EQ(ordered_uuid(0x017F22E279B0, "0cc318c4dc0c0c07398f"), "017f22e279b07cc398c4dc0c0c07398f");
  EXPECT_EQ(ordered_uuid(0x017F22E279B0, "fcc3d8c4dc0c0c07398f"), "017f22e279b07cc398c4dc0c0c07398f");
}

TEST(OrderedUuid, SortsByTime) {
  EXPECT_LT(ordered_uuid(1, "ffffffffffffffffffff"), ordered_uuid(2, "00000000000000000000"));
  EXPECT_LT(ordered_uuid(0x9'FFFF'FFFF, "ffffffffffffffffffff"), ordered_uuid(0xA'0000'0000, "00000000000000000000"));
}

TEST(OrderedUuid, DoesNotRepeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(ordered_uuid()).second);
  const std::regex form("[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}");
  for (const std::string& each : seen) EXPECT_TRUE(std::regex_match(each, form)) << each;
}

}  // namespace
}  // namespace lockstep
