#include "launcher/cluster/slurm_conf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const ClusterFolder& folder() {
  static const ClusterFolder at("/no-such/box");
  return at;
}

ClusterSpec three_nodes() {
  ClusterSpec spec;
  spec.nodes = 3;
  spec.cores_per_node = 4;
  spec.memory_mb = 2000;
  spec.user = "root";
  spec.first_port = 20000;
  return spec;
}

TEST(SlurmConf, GivesEachNodeAPortBehindTheControllers) {
  const std::string text = slurm_conf(folder(), three_nodes());
  EXPECT_THAT(text, HasSubstr("\nSlurmctldPort=20000\n"));
  EXPECT_THAT(text, HasSubstr("\nNodeName=n[1-3] NodeHostname=localhost NodeAddr=127.0.0.1 Port=20001-20003 CPUs=4 "
                              "CoresPerSocket=4 RealMemory=2000\n"));
}

TEST(SlurmConf, WritesASingleNodeWithoutBrackets) {
  ClusterSpec spec = three_nodes();
  spec.nodes = 1;
  const std::string text = slurm_conf(folder(), spec);
  EXPECT_THAT(text, HasSubstr("NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=20001 "));
  EXPECT_THAT(text, HasSubstr("PartitionName=main Nodes=n1 Default=YES"));
}

TEST(SlurmConf, PreemptsLowForDedicated) {
  const std::string text = slurm_conf(folder(), three_nodes());
  EXPECT_THAT(text, HasSubstr("PartitionName=low Nodes=n[1-3] PriorityTier=1 PreemptMode=REQUEUE\n"));
  EXPECT_THAT(text, HasSubstr("PartitionName=dedicated Nodes=n[1-3] PriorityTier=10 PreemptMode=OFF\n"));
}

TEST(SlurmConf, KeepsAllFilesBelowItsFolder) {
  const std::string text = slurm_conf(folder(), three_nodes());
  EXPECT_THAT(text, HasSubstr("\nAuthInfo=socket=/no-such/box/run/munge.sock,cred_expire=5\n"));
  EXPECT_THAT(text, HasSubstr("\nSlurmdSpoolDir=/no-such/box/spool/%n\n"));
  EXPECT_THAT(text, HasSubstr("\nTmpFS=/no-such/box/tmp/%n\n"));
  EXPECT_THAT(text, HasSubstr("\nStateSaveLocation=/no-such/box/state\n"));
  EXPECT_THAT(text, HasSubstr("\nInclude /no-such/box/lockstep/lockstep.conf\n"));
}

TEST(SlurmConf, HasALineOfLicensesOnlyWhenThereAreAny) {
  ClusterSpec spec = three_nodes();
  EXPECT_THAT(slurm_conf(folder(), spec), Not(HasSubstr("Licenses")));
  spec.licenses = {{"matlab", 4}, {"dsv2_cores", 100}};
  EXPECT_THAT(slurm_conf(folder(), spec), HasSubstr("\nLicenses=matlab:4,dsv2_cores:100\n"));
}

TEST(SlurmConf, SharesTheMemoryOfANodeAmongItsCores) {
  ClusterSpec spec = three_nodes();
  EXPECT_THAT(slurm_conf(folder(), spec), HasSubstr("\nDefMemPerCPU=500\n"));
  spec.cores_per_node = 4096;
  EXPECT_THAT(slurm_conf(folder(), spec), HasSubstr("\nDefMemPerCPU=1\n"));
}

TEST(NodeArguments, GiveANodeItsOwnNameAndSharedMemory) {
  EXPECT_THAT(
      node_argv("n1", false, false),
      ElementsAre("unshare", "--uts", "--mount", "--propagation", "slave", "sh", "-c",
                  "hostname \"$0\" && mount -t tmpfs tmpfs /dev/shm && exec \"$@\"", "n1", "slurmd", "-D", "-N", "n1"));
  const auto of_user = node_argv("c2", true, true);
  EXPECT_EQ(of_user[1], "--user");
  EXPECT_EQ(of_user.back(), "-b");
}

}  // namespace
}  // namespace lockstep::cluster
