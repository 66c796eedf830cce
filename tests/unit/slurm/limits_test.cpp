// What slurmctld tells of the limits of QOS and accounts, recorded from Slurm 22.05 and cut.
#include "launcher/slurm/limits.hpp"

#include <gtest/gtest.h>

namespace lockstep::slurm {
namespace {

constexpr const char* of_qos =
    "Current Association Manager state\n"
    "QOS Records\n"
    "QOS=small(3) UsageRaw=0.000000 GrpJobs=9(1) GrpJobsAccrue=N(1) GrpTRES=cpu=8(6),mem=N(8034),node=N(1) "
    "GrpTRESMins=cpu=1(0),mem=N(0) MaxTRESPJ=cpu=3 Account Limits= lockstep={MaxJobsPA=N(1) MaxTRESPA=cpu=N(2)} "
    "User Limits= 10={MaxJobsPU=4(4) MaxTRESPU=cpu=5(5),node=N(1)} 0={MaxJobsPU=N(1) MaxTRESPU=cpu=2(1),node=N(1)}\n";

constexpr const char* of_account =
    "ClusterName=lockstep Account=vision UserName= Partition= ID=3 GrpJobs=N(0) GrpTRES=cpu=16(4),node=4(1)\n"
    "ClusterName=lockstep Account=vision UserName=ada(7) Partition= ID=4 GrpJobs=2(1) GrpTRES=cpu=8(4),node=N(1)\n"
    "ClusterName=lockstep Account=vision UserName=bob(8) Partition= ID=5 GrpJobs=1(1) GrpTRES=cpu=1(1),node=1(1)\n";

TEST(SlurmLimits, OfAQosAreToldForAllAndForOneUser) {
  EXPECT_EQ(read_qos_limit(of_qos, "small", "cores"), (Limit{"QOS small", 8, 6}));
  EXPECT_EQ(read_qos_limit(of_qos, "small", "jobs"), (Limit{"QOS small", 9, 1}));
  EXPECT_EQ(read_qos_limit(of_qos, "small", "nodes"), std::nullopt) << "N: there is none";
  EXPECT_EQ(read_qos_limit(of_qos, "smal", "cores"), std::nullopt);
  EXPECT_EQ(read_user_limit(of_qos, "small", 0, "cores"), (Limit{"QOS small for one user", 2, 1}));
  EXPECT_EQ(read_user_limit(of_qos, "small", 10, "jobs"), (Limit{"QOS small for one user", 4, 4}));
  EXPECT_EQ(read_user_limit(of_qos, "small", 0, "jobs"), std::nullopt);
  EXPECT_EQ(read_user_limit(of_qos, "small", 1, "cores"), std::nullopt);
}

TEST(SlurmLimits, OfAQosForOneJobAreNumbersWithoutAUse) {
  EXPECT_EQ(read_job_limit(of_qos, "small", "cores"), (Limit{"QOS small for one job", 3, 0}));
  EXPECT_EQ(read_job_limit(of_qos, "small", "nodes"), std::nullopt);
  EXPECT_EQ(read_job_limit(of_qos, "small", "jobs"), std::nullopt);
  EXPECT_EQ(read_job_limit("QOS=small(3) MaxTRESPJ=mem=9,node=2", "small", "nodes"),
            (Limit{"QOS small for one job", 2, 0}));
  for (const char* text : {"", "MaxTRESPJ=", "MaxTRESPJ=cpu=", "MaxTRESPJ=cpu=-1", "MaxTRESPJ=cpu=3(1)"})
    EXPECT_EQ(read_job_limit(std::string("QOS=small(3) ") + text, "small", "cores"), std::nullopt) << text;
}

TEST(SlurmLimits, OfAnAccountAreItsOwnAndThoseOfItsUser) {
  const Limit of_all{"account vision", 16, 4};
  EXPECT_EQ(read_account_limits(of_account, "vision", "ada", "cores"),
            (std::vector<Limit>{of_all, {"user ada in account vision", 8, 4}}));
  EXPECT_EQ(read_account_limits(of_account, "vision", "eve", "cores"), std::vector<Limit>{of_all});
  EXPECT_EQ(read_account_limits(of_account, "vision", "ada", "nodes"), (std::vector<Limit>{{"account vision", 4, 1}}));
  EXPECT_EQ(read_account_limits(of_account, "speech", "ada", "cores"), std::vector<Limit>{});
}

TEST(SlurmLimits, OfAnyQosAreThoseForAllItsJobs) {
  EXPECT_TRUE(has_any_qos_limit(of_qos, "cores"));
  EXPECT_FALSE(has_any_qos_limit(of_qos, "nodes"));
  EXPECT_FALSE(has_any_qos_limit(of_account, "cores"));
}

TEST(SlurmLimits, HoldWhereTheClusterEnforcesThem) {
  EXPECT_TRUE(
      keeps_limits("AccountingStorageHost   = localhost\nAccountingStorageEnforce = associations,limits,qos\n"));
  EXPECT_TRUE(keeps_limits("AccountingStorageEnforce= limits"));
  for (const char* text : {"", "AccountingStorageEnforce = associations,qos\n", "AccountingStorageEnforce = none\n",
                           "AccountingStorageEnforce =", "AccountingStorageEnforce", "EnforcePartLimits = limits\n"})
    EXPECT_FALSE(keeps_limits(text)) << text;
}

TEST(SlurmLimits, AreNotMadeOfWhatIsNone) {
  for (const char* text :
       {"", "QOS=small(3)", "QOS=small(3) GrpTRES=", "QOS=small(3) GrpTRES=cpu=", "QOS=small(3) GrpTRES=cpu=8",
        "QOS=small(3) GrpTRES=cpu=8(", "QOS=small(3) GrpTRES=cpu=8(x)", "QOS=small(3) GrpTRES=cpu=-8(1)",
        "QOS=small(3) GrpTRES=cpu=99999999999999999999(1)", "No QOS currently cached in Slurm.\n"}) {
    EXPECT_EQ(read_qos_limit(text, "small", "cores"), std::nullopt) << text;
    EXPECT_EQ(read_user_limit(text, "small", 0, "cores"), std::nullopt) << text;
  }
}

TEST(SlurmLimits, OfAPartitionAreThoseOfItsQos) {
  const char* const partitions =
      "PartitionName=main AllowQos=ALL Default=YES QoS=N/A DefaultTime=NONE\n"
      "PartitionName=gpu AllowQos=ALL Default=NO QoS=small DefaultTime=NONE\n";
  EXPECT_EQ(read_partition_qos(partitions, "gpu"), "small");
  EXPECT_EQ(read_partition_qos(partitions, "main"), "");
  EXPECT_EQ(read_partition_qos(partitions, ""), "");
  EXPECT_EQ(read_partition_qos("", "gpu"), "");
}

TEST(SlurmLimits, AreComparedWithTheSmallestNodesThatARunMayGet) {
  const std::vector<NodeRow> nodes = {
      {"a", "a", "idle", "", 8, 0}, {"b", "b", "idle", "", 2, 0}, {"c", "c", "off", "", 4, 0}};
  EXPECT_EQ(least_cores(nodes, 2), 6);
  EXPECT_EQ(least_cores(nodes, 3), 14);
  EXPECT_EQ(least_cores(nodes, 4), 0);
  EXPECT_EQ(least_cores(nodes, 0), 0);
}

}  // namespace
}  // namespace lockstep::slurm
