#include "launcher/slurm/reasons.hpp"

#include <gtest/gtest.h>

namespace lockstep::slurm {
namespace {

struct Case {
  const char* reason;
  const char* meaning;
};

TEST(SlurmReasons, ComeAfterTheNameOfWhoSaysThem) {
  EXPECT_EQ(without_prefix("salloc: error: Job submit/allocate failed: x"), "Job submit/allocate failed: x");
  EXPECT_EQ(without_prefix("sbatch: error: QOSGrpCpuLimit"), "QOSGrpCpuLimit");
  EXPECT_EQ(without_prefix("allocation failure: Invalid qos"), "Invalid qos");
  EXPECT_EQ(without_prefix("sbatch: "), "");
  EXPECT_EQ(without_prefix("no error: x"), "no error: x");
}

// Each as Slurm 22.05 spells it.
TEST(SlurmReasons, AreToldInWords) {
  for (const auto& [reason, meaning] : {
           Case{"None", "Slurm is looking at it"},
           Case{"Resources", "all nodes that fit are taken"},
           Case{"ReqNodeNotAvail, UnavailableNodes:n1", "nodes that it needs are down or reserved"},
           Case{"InvalidQOS", "its QOS is no longer one that it may use"},
           Case{"QOSGrpCpuLimit", "the cores of its QOS are in use"},
           Case{"QOSGrpNodeLimit", "the nodes of its QOS are in use"},
           Case{"QOSGrpMemLimit", "the memory of its QOS is in use"},
           Case{"QOSGrpGRES", "the GPUs and other devices (GRES) of its QOS are in use"},
           Case{"QOSGrpJobsLimit", "as many jobs run as its QOS lets all have"},
           Case{"QOSGrpCPUMinutesLimit", "the minutes of cores that its QOS has are used up"},
           Case{"QOSGrpWallLimit", "the time that its QOS has is used up"},
           Case{"QOSMaxCpuPerUserLimit", "the cores that its QOS gives one user are in use"},
           Case{"QOSMaxNodePerUserLimit", "the nodes that its QOS gives one user are in use"},
           Case{"QOSMaxJobsPerUserLimit", "as many jobs run as its QOS lets one user have"},
           Case{"MaxCpuPerAccount", "the cores that its QOS gives one account are in use"},
           Case{"QOSMaxNodePerJobLimit", "it wants more nodes than its QOS gives one job"},
           Case{"QOSMaxCpuPerNode", "it wants more cores than its QOS gives one job on a node"},
           Case{"QOSMaxWallDurationPerJobLimit", "its time limit is above that of its QOS"},
           Case{"QOSMinCpuNotSatisfied", "it wants fewer cores than its QOS asks for"},
           Case{"AssocGrpCpuLimit", "the cores of its account are in use"},
           Case{"AssocGrpNodeLimit", "the nodes of its account are in use"},
           Case{"AssocMaxJobsLimit", "as many jobs run as its account lets one user have"},
           Case{"AssocMaxCpuPerJobLimit", "it wants more cores than its account gives one job"},
           Case{"SomethingNew", "Slurm says: SomethingNew"},
       }) {
    EXPECT_EQ(why_it_waits(reason), meaning) << reason;
  }
}

TEST(SlurmReasons, OfARefusalNameTheQosOrTheAccount) {
  const auto refused = [](const char* reason) {
    return why_refused(limit_reason(reason).value_or(LimitReason()), "small", "");
  };
  EXPECT_EQ(refused("QOSGrpCpuLimit"), "it wants more cores than QOS small gives");
  EXPECT_EQ(refused("QOSMaxNodePerJobLimit"), "it wants more nodes than QOS small gives one job");
  EXPECT_EQ(refused("QOSMaxSubmitJobPerUserLimit"),
            "as many jobs wait and run as QOS small lets one user have: wait until one has ended");
  EXPECT_EQ(refused("AssocGrpCpuLimit"), "it wants more cores than its account gives");
}

TEST(SlurmReasons, ThatAreNoLimitsAreNoneOfOurs) {
  for (const char* text :
       {"", "QOS", "QOSGrp", "QOSMax", "Resources", "MaxMemPerLimit", "QOSNotAllowed", "AssocGrpOdd"}) {
    EXPECT_FALSE(limit_reason(text)) << text;
  }
}

}  // namespace
}  // namespace lockstep::slurm
