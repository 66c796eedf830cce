// Where a workspace keeps its quotas.
#include "launcher/compute/quotas.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.hpp"
#include "launcher/spec/vm_sizes.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/write_text.hpp"

namespace lockstep::compute {
namespace {

using spec::Quota;
using spec::Tier;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

class Quotas : public ::testing::Test {
 protected:
  testing::TemporaryFolder folder;
  Workspace workspace{folder / ".lockstep"};
};

TEST_F(Quotas, AreNoneWhereNobodySetOne) {
  EXPECT_THAT(quotas(workspace), IsEmpty());
  EXPECT_FALSE(fs::exists(workspace.root()));
  EXPECT_THROW(remove_quotas(workspace, "standardDSv2Family", std::nullopt), Error);
  EXPECT_FALSE(fs::exists(workspace.root()));
}

TEST_F(Quotas, AreSetAndReplacedByFamilyAndTier) {
  set_quota(workspace, {"standardHXFamily", Tier::low_priority, 4});
  set_quota(workspace, {"standardHXFamily", Tier::dedicated, 3});
  set_quota(workspace, {"standardDSv2Family", Tier::dedicated, 2});
  set_quota(workspace, {"standardHXFamily", Tier::dedicated, 1});
  EXPECT_THAT(quotas(workspace), ElementsAre(Quota{"standardDSv2Family", Tier::dedicated, 2},
                                             Quota{"standardHXFamily", Tier::dedicated, 1},
                                             Quota{"standardHXFamily", Tier::low_priority, 4}));
  EXPECT_TRUE(fs::exists(folder / ".lockstep" / ".gitignore"));
}

TEST_F(Quotas, AreRemovedInOneTierOrInBoth) {
  for (const auto tier : {Tier::dedicated, Tier::low_priority}) set_quota(workspace, {"standardHXFamily", tier, 1});
  remove_quotas(workspace, "standardHXFamily", Tier::dedicated);
  EXPECT_THAT(quotas(workspace), ElementsAre(Quota{"standardHXFamily", Tier::low_priority, 1}));
  EXPECT_THAT([&] { remove_quotas(workspace, "standardHXFamily", Tier::dedicated); },
              ThrowsMessage<Error>(HasSubstr("there is no dedicated quota of the family 'standardHXFamily'")));
  set_quota(workspace, {"standardHXFamily", Tier::dedicated, 1});
  remove_quotas(workspace, "standardHXFamily", std::nullopt);
  EXPECT_THAT(quotas(workspace), IsEmpty());
}

TEST_F(Quotas, OfAFileThatIsDamagedAreRefusedAndLeftAsTheyAre) {
  workspace.create();
  lockstep::testing::write_text(workspace.quotas_file(), "- {family: standardHXFamily}\n");
  EXPECT_THAT([&] { quotas(workspace); }, ThrowsMessage<InputErrors>(HasSubstr("quotas.yml:1:3: missing key 'limit'")));
  EXPECT_THROW(set_quota(workspace, {"standardHXFamily", Tier::dedicated, 1}), InputErrors);
  EXPECT_EQ(read_file(workspace.quotas_file()), "- {family: standardHXFamily}\n");
}

TEST_F(Quotas, AreReadAgainWhenTheyHaveChanged) {
  QuotaFile file(workspace);
  EXPECT_THAT(file.now(), IsEmpty());
  set_quota(workspace, {"standardHXFamily", Tier::dedicated, 1});
  EXPECT_THAT(file.now(), ElementsAre(Quota{"standardHXFamily", Tier::dedicated, 1}));
  lockstep::testing::write_text(workspace.quotas_file(), "7");
  EXPECT_THROW(file.now(), InputErrors);
  EXPECT_THROW(file.now(), InputErrors) << "asked again";
  fs::remove(workspace.quotas_file());
  EXPECT_THAT(file.now(), IsEmpty());
}

TEST_F(Quotas, OfCommandsAtOnceAreAllKept) {
  const auto& families = spec::known_vm_families();
  std::vector<pid_t> children;
  for (int child = 0; child < 4; ++child) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      for (std::size_t i = static_cast<std::size_t>(child); i < families.size(); i += 4)
        set_quota(workspace, {families[i], Tier::dedicated, child});
      ::_exit(0);
    }
    children.push_back(pid);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(quotas(workspace).size(), families.size());
}

}  // namespace
}  // namespace lockstep::compute
