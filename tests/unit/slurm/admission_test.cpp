// What becomes of a submission when some of Slurm's commands give no answer, or one that is recorded.
#include "launcher/slurm/admission.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "common/process.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/write_text.hpp"

namespace lockstep::slurm {
namespace {

class SlurmAdmission : public ::testing::Test {
 protected:
  SlurmAdmission() { ::setenv("PATH", folder_.path().c_str(), 1); }
  ~SlurmAdmission() override { ::setenv("PATH", path_.c_str(), 1); }

  void sbatch(const std::string& script) const { program("sbatch", script); }
  void program(const std::string& name, const std::string& script) const {
    testing::write_text(folder_ / name, "#!/bin/sh\n" + script + "\n");
    fs::permissions(folder_ / name, fs::perms::owner_all);
  }

  const spec::SlurmEngine of_vision{.account = "vision", .qos = "small"};
  const Request two_nodes{.name = "run", .nodes = 2};
  std::string path_ = std::getenv("PATH");
  testing::TemporaryFolder folder_;
};

TEST_F(SlurmAdmission, TakesWhatSlurmTakesWhereScontrolIsMissing) {
  sbatch("exit 0");
  EXPECT_EQ(refusal_of(of_vision, two_nodes), "");
}

TEST_F(SlurmAdmission, TellsWhatSlurmRefusesWhereSinfoIsMissing) {
  sbatch("echo allocation failure: Requested node configuration is not available; exit 1");
  EXPECT_EQ(refusal_of({}, two_nodes), "Slurm would never start it: Requested node configuration is not available");
}

TEST_F(SlurmAdmission, ComparesWithTheSmallestLimitWhateverOthersHaveInUse) {
  sbatch("exit 0");
  program("sinfo", "echo 'n1|idle|4|0|(null)|idle|none'; echo 'n2|idle|4|0|(null)|idle|none'");
  const std::string of_account = "ClusterName=c Account=vision UserName= GrpTRES=cpu=16(14)";
  const std::string of_user = "ClusterName=c Account=vision UserName=" + user_name() + "(7) GrpTRES=cpu=4(0)";
  program("scontrol", R"sh(case "$*" in
  "show config") echo AccountingStorageEnforce = associations,limits,qos ;;
  *qos=*) echo "QOS=small(3) GrpTRES=cpu=N(0)" ;;
  *accounts=*) echo ")sh" +
                          of_account + "\n" + of_user + "\";;\nesac");
  EXPECT_THAT(refusal_of(of_vision, two_nodes),
              ::testing::HasSubstr("have 8 cores, and the limit of user " + user_name() + " in account vision is 4"));
}

}  // namespace
}  // namespace lockstep::slurm
