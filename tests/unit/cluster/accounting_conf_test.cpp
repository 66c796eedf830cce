#include "launcher/cluster/accounting_conf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/cluster/slurm_conf.hpp"

namespace lockstep::cluster {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const ClusterFolder& box() {
  static const ClusterFolder at("/no-such/box");
  return at;
}

ClusterSpec with_accounts() {
  ClusterSpec spec;
  spec.nodes = 3;
  spec.user = "ada";
  spec.first_port = 20000;
  spec.accounting = true;
  return spec;
}

TEST(Accounting, IsAskedForByTheConfigurationOnlyWhereItIsThere) {
  ClusterSpec spec = with_accounts();
  EXPECT_THAT(slurm_conf(box(), spec), HasSubstr("\nAccountingStorageType=accounting_storage/slurmdbd\n"));
  EXPECT_THAT(slurm_conf(box(), spec), HasSubstr("\nAccountingStoragePort=20004\n"));
  EXPECT_THAT(slurm_conf(box(), spec), HasSubstr("\nAccountingStorageEnforce=associations,limits,qos\n"));
  EXPECT_THAT(slurm_conf(box(), spec), HasSubstr("\nJobAcctGatherType=jobacct_gather/linux\n"));
  spec.accounting = false;
  EXPECT_THAT(slurm_conf(box(), spec), Not(HasSubstr("AccountingStorage")));
  EXPECT_THAT(slurm_conf(box(), spec), HasSubstr("\nJobAcctGatherType=jobacct_gather/none\n"));
}

TEST(Accounting, HasThePortBehindTheNodes) {
  EXPECT_EQ(with_accounts().ports(), 5);
  EXPECT_THAT(slurmdbd_conf(box(), with_accounts()), HasSubstr("\nDbdPort=20004\n"));
  EXPECT_THAT(with_accounts().daemon_names(), ElementsAre("munged", "mariadbd", "slurmdbd", "slurmctld"));
}

TEST(Accounting, KnowsItsUserByTheSocketAndKeepsNoPassword) {
  const std::string text = slurmdbd_conf(box(), with_accounts());
  EXPECT_THAT(text, HasSubstr("\nStorageUser=ada\n"));
  EXPECT_THAT(text, Not(HasSubstr("StoragePass")));
  const auto install = install_database_argv(box(), "ada", false);
  EXPECT_THAT(install, Contains("--auth-root-authentication-method=socket"));
  EXPECT_THAT(install, Contains("--auth-root-socket-user=ada"));
}

TEST(Accounting, HasADatabaseThatListensAtItsSocketAlone) {
  const auto argv = database_argv(box(), false);
  EXPECT_THAT(argv, Contains("--skip-networking"));
  EXPECT_THAT(argv, Contains("--socket=/no-such/box/run/mariadb.sock"));
  EXPECT_THAT(argv, Contains("--datadir=/no-such/box/database"));
  EXPECT_THAT(argv, Not(Contains(StartsWith("--user="))));
  EXPECT_THAT(database_argv(box(), true), Contains("--user=root")) << "or MariaDB does not start as root";
  EXPECT_EQ(argv[1], "--no-defaults") << "MariaDB takes it only as the first of all";
}

TEST(Accounting, IsPartOfTheRecordOfACluster) {
  EXPECT_TRUE(spec_from_json(to_json(with_accounts())).value_or(ClusterSpec()).accounting);
  std::string of_an_earlier_version = to_json(with_accounts());
  const auto at = of_an_earlier_version.find("\"accounting\"");
  ASSERT_NE(at, std::string::npos);
  of_an_earlier_version.replace(at, 12, "\"otherwise_\"");
  EXPECT_FALSE(spec_from_json(of_an_earlier_version).value_or(with_accounts()).accounting);
}

}  // namespace
}  // namespace lockstep::cluster
