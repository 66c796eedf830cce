#include "launcher/entrypoint/addresses.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"

namespace lockstep::entrypoint {
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

std::vector<std::string> addresses(int nodes, const Environment& environment) {
  RankPlace place;
  place.node_count = nodes;
  return node_addresses(place, environment);
}

TEST(NodeAddresses, AreOursThenAzuresThenSlurms) {
  const Environment all{{"LOCKSTEP_NODES", "a,b"}, {"AZ_BATCH_HOST_LIST", "c,d"}, {"SLURM_STEP_NODELIST", "n[5-6]"}};
  EXPECT_THAT(addresses(2, all), ElementsAre("a", "b"));
  EXPECT_THAT(addresses(2, {{"AZ_BATCH_HOST_LIST", "c,d"}, {"SLURM_STEP_NODELIST", "n[5-6]"}}), ElementsAre("c", "d"));
  EXPECT_THAT(addresses(2, {{"SLURM_STEP_NODELIST", "n[5-6]"}}), ElementsAre("n5", "n6"));
}

TEST(NodeAddresses, AreNotMadeUp) {
  EXPECT_THAT(addresses(1, {}), ElementsAre("127.0.0.1"));
  EXPECT_THAT(addresses(2, {}), IsEmpty());
  EXPECT_THAT(addresses(2, {{"AZ_BATCH_HOST_LIST", "only-one"}}), IsEmpty());
}

}  // namespace
}  // namespace lockstep::entrypoint
