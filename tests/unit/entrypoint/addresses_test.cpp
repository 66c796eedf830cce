#include "launcher/entrypoint/addresses.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::entrypoint {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

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
