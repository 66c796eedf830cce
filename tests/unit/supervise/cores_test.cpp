// Cores under quotas: who waits, for how long, and what is said.
#include "launcher/supervise/cores.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.hpp"
#include "launcher/supervise/ledger.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/wait_until.hpp"
#include "tests/unit/supervise/owner.hpp"

namespace lockstep::supervise {
namespace {

using lockstep::testing::TemporaryFolder;
using spec::Tier;
using ::testing::HasSubstr;

constexpr const char* family = "standardDSv2Family";

Cores cores(int count, std::optional<int> limit, Tier tier = Tier::dedicated) {
  return {.compute = "rack", .family = family, .tier = tier, .count = count, .limit = limit};
}

class CoresInLedger : public ::testing::Test {
 protected:
  std::int64_t enter(const std::string& run, const Cores& wanted) { return ledger.enter_for_cores(run, "/w", wanted); }
  std::string why(std::int64_t ticket) {
    const auto entries = ledger.entries();
    for (const auto& each : entries) {
      if (each.ticket == ticket) return core_queue_text(entries, each);
    }
    return "no such ticket";
  }
  std::int64_t in_use() { return use_of(ledger.entries(), family, Tier::dedicated).in_use; }

  TemporaryFolder folder;
  Ledger ledger{folder / "runtime", 2};
};

TEST_F(CoresInLedger, AreGivenUpToTheLimit) {
  const auto first = enter("a", cores(6, 8));
  const auto second = enter("b", cores(4, 8));
  EXPECT_TRUE(ledger.try_start(first));
  EXPECT_FALSE(ledger.try_start(second));
  EXPECT_EQ(why(first), "");
  EXPECT_EQ(why(second), "waiting for cores of family standardDSv2Family (limit 8, in use 6); it needs 4");
  EXPECT_EQ(in_use(), 6);
  EXPECT_EQ(use_of(ledger.entries(), family, Tier::dedicated).waiting, 4);
  ledger.leave(first);
  EXPECT_TRUE(ledger.try_start(second));
  EXPECT_EQ(in_use(), 4);
}

TEST_F(CoresInLedger, AreKeptForWhoCameFirst) {
  const auto running = enter("a", cores(6, 8));
  ASSERT_TRUE(ledger.try_start(running));
  const auto large = enter("b", cores(4, 8));
  const auto small = enter("c", cores(2, 8));
  EXPECT_FALSE(ledger.try_start(large));
  EXPECT_FALSE(ledger.try_start(small)) << "two cores are free, but b came first";
  EXPECT_THAT(why(small), HasSubstr("(limit 8, in use 6); it needs 2; 1 run waits before it"));
  ledger.leave(running);
  EXPECT_TRUE(ledger.try_start(small)) << "there are enough for both";
  EXPECT_TRUE(ledger.try_start(large));
}

TEST_F(CoresInLedger, OfTiersAndFamiliesAreCountedApart) {
  EXPECT_TRUE(ledger.try_start(enter("a", cores(8, 8))));
  EXPECT_TRUE(ledger.try_start(enter("b", cores(8, 8, Tier::low_priority))));
  Cores of_another = cores(8, 8);
  of_another.family = "standardHXFamily";
  EXPECT_TRUE(ledger.try_start(enter("c", of_another)));
  const auto low = enter("d", cores(1, 8, Tier::low_priority));
  EXPECT_FALSE(ledger.try_start(low));
  EXPECT_THAT(why(low), HasSubstr("waiting for low_priority cores of family standardDSv2Family (limit 8, in use 8)"));
}

TEST_F(CoresInLedger, AreCountedOverAllWorkspaces) {
  ASSERT_TRUE(ledger.try_start(ledger.enter_for_cores("a", "/w1", cores(6, std::nullopt))));
  EXPECT_FALSE(ledger.try_start(ledger.enter_for_cores("b", "/w2", cores(4, 8))));
  EXPECT_TRUE(ledger.try_start(ledger.enter_for_cores("c", "/w1", cores(40, std::nullopt)))) << "no quota there";
}

TEST_F(CoresInLedger, AreGivenByTheLimitAsItIsNow) {
  const auto first = enter("a", cores(8, 8));
  ASSERT_TRUE(ledger.try_start(first));
  const auto second = enter("b", cores(8, 8));
  EXPECT_FALSE(ledger.try_start(second));
  ledger.limit_cores(second, 16);
  EXPECT_TRUE(ledger.try_start(second));
  const auto third = enter("c", cores(4, std::nullopt));
  ledger.limit_cores(third, 16);
  EXPECT_FALSE(ledger.try_start(third));
  ledger.limit_cores(third, std::nullopt);
  EXPECT_TRUE(ledger.try_start(third));
  EXPECT_THROW(ledger.limit_cores(12345, 1), Error);
}

TEST_F(CoresInLedger, AreNotKeptForARunThatNeverFits) {
  const auto large = enter("a", cores(8, 8));
  ledger.limit_cores(large, 6);
  const auto small = enter("b", cores(4, 6));
  EXPECT_FALSE(ledger.try_start(large));
  EXPECT_EQ(
      why(large),
      "waiting for cores of family standardDSv2Family (limit 6, in use 0); it needs 8, which never fits: lockstep "
      "quota set standardDSv2Family --limit 8, or cancel it");
  EXPECT_TRUE(ledger.try_start(small));
}

TEST_F(CoresInLedger, AreFreeWhenTheirOwnerIsKilled) {
  Owner runner;
  Owner waiter;
  ASSERT_TRUE(ledger.try_start(ledger.enter_for_cores("a", "/w", cores(8, 8), runner.id())));
  const auto second = ledger.enter_for_cores("b", "/w", cores(8, 8), waiter.id());
  const auto mine = enter("c", cores(8, 8));
  EXPECT_FALSE(ledger.try_start(second));
  EXPECT_FALSE(ledger.try_start(mine));
  runner.die();
  EXPECT_EQ(in_use(), 0);
  EXPECT_FALSE(ledger.try_start(mine)) << "b is before it";
  waiter.die();
  EXPECT_TRUE(ledger.try_start(mine));
}

TEST_F(CoresInLedger, KeepNoHostsFromOthersWhileTheyAreWaitedFor) {
  const auto first = ledger.enter_for_hosts("a", "/w", {"h1"}, 1, this_process(), cores(8, 8));
  ASSERT_TRUE(ledger.try_start(first));
  const auto waits = ledger.enter_for_hosts("b", "/w", {"h2"}, 1, this_process(), cores(8, 8));
  const auto low = ledger.enter_for_hosts("c", "/w", {"h2"}, 1, this_process(), cores(8, 8, Tier::low_priority));
  EXPECT_FALSE(ledger.try_start(waits));
  EXPECT_EQ(ledger.position(low), 0);
  EXPECT_TRUE(ledger.try_start(low));
  ledger.leave(first);
  EXPECT_FALSE(ledger.try_start(waits)) << "c has its host";
  EXPECT_EQ(why(waits), "");
  const auto after = ledger.enter_for_hosts("d", "/w", {"h2"}, 1, this_process(), cores(8, 8, Tier::low_priority));
  ledger.leave(low);
  EXPECT_FALSE(ledger.try_start(after)) << "b waits for the host now, and came first";
  EXPECT_TRUE(ledger.try_start(waits));
}

TEST_F(CoresInLedger, TakeNoSlotsOfThisMachine) {
  ASSERT_TRUE(ledger.try_start(enter("a", cores(8, 8))));
  EXPECT_FALSE(ledger.try_start(enter("b", cores(8, 8))));
  EXPECT_TRUE(ledger.try_start(ledger.enter("c", "/w", 2)));
}

TEST_F(CoresInLedger, AreNeverMoreThanTheLimitWhoeverTriesAtOnce) {
  constexpr int processes = 4;
  constexpr int rounds = 30;
  constexpr int limit = 10;
  std::vector<pid_t> children;
  for (int process = 0; process < processes; ++process) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      Ledger mine(folder / "runtime", 2);
      bool within = true;
      for (int round = 0; round < rounds; ++round) {
        const auto ticket = mine.enter_for_cores("r", "/w", cores(3 + process, limit));
        const bool started =
            lockstep::testing::wait_until([&] { return mine.try_start(ticket); }, std::chrono::minutes(2));
        within = within && started && use_of(mine.entries(), family, Tier::dedicated).in_use <= limit;
        mine.leave(ticket);
      }
      ::_exit(within ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_TRUE(ledger.entries().empty());
}

plan::Plan plan_of(int nodes, int vcpus) {
  plan::Plan plan;
  plan::RemoteCompute compute;
  compute.name = "rack";
  compute.family = vcpus > 0 ? family : "";
  compute.vcpus = vcpus;
  plan.remote = plan::RemotePart{compute};
  plan.nodes.assign(static_cast<std::size_t>(nodes), "any");
  return plan;
}

TEST(CoresOfARun, AreThoseOfItsSizeOnAllNodes) {
  EXPECT_EQ(cores_of_run(plan_of(3, 4)), cores(12, std::nullopt));
  EXPECT_EQ(cores_of_run(plan_of(3, 0)).count, 0) << "no size is said";
  EXPECT_EQ(cores_of_run(plan::Plan()).count, 0) << "on this machine";
}

TEST(CoresOfARun, AreRefusedWhereTheyCanNeverFit) {
  const std::vector<spec::Quota> quotas{{family, Tier::dedicated, 8}};
  EXPECT_EQ(never_within(quotas, plan_of(2, 4)), "");
  EXPECT_EQ(never_within({}, plan_of(20, 4)), "");
  EXPECT_EQ(never_within({{family, Tier::low_priority, 1}}, plan_of(20, 4)), "");
  EXPECT_EQ(never_within(quotas, plan_of(3, 4)),
            "it needs 12 cores of family standardDSv2Family (4 on each of 3 nodes), and the quota's limit is 8: set "
            "resources.instance_count to 2 at most, or lockstep quota set standardDSv2Family --limit 12");
  EXPECT_THAT(never_within(quotas, plan_of(1, 16)),
              HasSubstr("(on one node), and the quota's limit is 8: lockstep quota set standardDSv2Family --limit 16"));
}

}  // namespace
}  // namespace lockstep::supervise
