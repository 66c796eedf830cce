#include "common/host_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"

namespace lockstep {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// As `scontrol show hostnames` of Slurm 22.05 prints them.
TEST(HostList, ExpandsWhatSlurmWrites) {
  EXPECT_THAT(expand_host_list("n[1-3]"), ElementsAre("n1", "n2", "n3"));
  EXPECT_THAT(expand_host_list("n[08-10,12],login"), ElementsAre("n08", "n09", "n10", "n12", "login"));
  EXPECT_THAT(expand_host_list("r[1-2]c[3,5]x"), ElementsAre("r1c3x", "r1c5x", "r2c3x", "r2c5x"));
  EXPECT_THAT(expand_host_list("10.0.0.4,10.0.0.5"), ElementsAre("10.0.0.4", "10.0.0.5"));
  EXPECT_THAT(expand_host_list(""), IsEmpty());
}

TEST(HostList, RefusesWhatIsMalformedOrEndless) {
  for (const char* text : {"n[1-", "n]1[", "n[1[2]]", "n[a]", "n[3-1]", "n[1-2-3]", "n[]", "n[0-99999999999]",
                           "n[0-99999999999][2-1]", "a[0-999]b[0-999]", "n[99999999999999999999]"}) {
    EXPECT_THROW(expand_host_list(text), Error) << text;
  }
}

TEST(HostList, HasAtMostSoManyNames) {
  EXPECT_THAT(expand_host_list("n[1-2]", 2), ElementsAre("n1", "n2"));
  EXPECT_THROW(expand_host_list("n[1-2],m", 2), Error);
}

}  // namespace
}  // namespace lockstep
