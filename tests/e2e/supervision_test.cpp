// The life of a run with real processes: cancel, timeout, the queue of the machine, failures.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>

#include "common/clock.hpp"
#include "launcher/supervise/ending.hpp"
#include "launcher/supervise/ledger.hpp"
#include "tests/e2e/run_rig.hpp"
#include "tests/support/gate.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::testing {
namespace {

using history::RunState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Supervision, TakesARunThroughItsStates) {
  RunRig rig;
  const auto command = rig.submit(rig.command_plan("plain", "echo done", 0, rig.workspace()));
  EXPECT_EQ(rig.wait_for(command), 0);
  EXPECT_THAT(rig.states("plain"), ElementsAre(RunState::not_started, RunState::preparing, RunState::running,
                                               RunState::finalizing, RunState::completed));
  EXPECT_EQ(rig.run("plain").outcome.exit_code, 0);
  EXPECT_EQ(read_file(rig.workspace().run("plain").rank_log(0)), "done\n");
  EXPECT_TRUE(supervise::read_ending(rig.workspace().run("plain")).has_value());
}

TEST(Supervision, TakesJournalsInWhileTheRunGoesOn) {
  RunRig rig;
  const auto command = rig.submit(rig.scribe_plan("live", {1, "--lines 1000000"}, rig.workspace()));
  EXPECT_TRUE(wait_until([&] {
    const auto store = history::open_sqlite_store(rig.workspace().store_file());
    return rig.has_run("live") && store->metric_history("live", "value_0").size() > 10;
  }));
  EXPECT_EQ(rig.run("live").state, RunState::running);
  rig.request_cancel("live", "enough");
  EXPECT_EQ(rig.wait_for(command), 0);
  EXPECT_THAT(rig.missing("live", 1), IsEmpty());
}

TEST(Supervision, NamesTheRankThatFailedFirst) {
  RunRig rig;
  const auto command = rig.submit(rig.scribe_plan("failing", {3, "--lines 20 --fail-rank 1"}, rig.workspace()));
  EXPECT_EQ(rig.wait_for(command), 0);
  const auto run = rig.run("failing");
  EXPECT_EQ(run.state, RunState::failed);
  EXPECT_EQ(run.outcome.first_failed_rank, 1);
  EXPECT_EQ(run.outcome.exit_code, 3);
  EXPECT_THAT(run.outcome.reason, HasSubstr("rank 1"));
  EXPECT_THAT(rig.processes("failing"), IsEmpty());
  EXPECT_THAT(rig.missing("failing", 3), IsEmpty());
}

TEST(Supervision, SaysWhenTheProgramCannotBeStarted) {
  RunRig rig;
  auto plan = rig.command_plan("absent", "true", 0, rig.workspace());
  plan.argv[0] = "/no/such/program";
  EXPECT_EQ(rig.wait_for(rig.submit(plan)), 0);
  EXPECT_EQ(rig.run("absent").state, RunState::failed);
  EXPECT_THAT(rig.run("absent").outcome.reason, HasSubstr("/no/such/program"));
  EXPECT_EQ(rig.run("absent").outcome.exit_code, 127);
}

TEST(Supervision, RefusesANameThatIsTaken) {
  RunRig rig;
  EXPECT_EQ(rig.wait_for(rig.submit(rig.command_plan("one", "true", 0, rig.workspace()))), 0);
  const auto again = rig.wait_for(rig.submit(rig.command_plan("one", "false", 0, rig.workspace())));
  ASSERT_NE(again, RunRig::still_running);
  EXPECT_EQ(WEXITSTATUS(again), 2);
  EXPECT_EQ(rig.run("one").state, RunState::completed);
}

TEST(Supervision, NeverCompletesWhatStoppedEarly) {
  RunRig rig;
  EXPECT_EQ(rig.wait_for(rig.submit(rig.command_plan("early", "exit 75", 0, rig.workspace()))), 0);
  EXPECT_EQ(rig.run("early").state, RunState::canceled);
  EXPECT_THAT(rig.run("early").outcome.reason, HasSubstr("resumed"));
}

TEST(Cancel, EndsWhatIgnoresTermAndDaemonises) {
  RunRig rig;
  const auto command =
      rig.submit(rig.scribe_plan("deaf", {2, "--lines 1000000 --ignore-term --daemonise"}, rig.workspace()));
  ASSERT_TRUE(rig.wait_for_lines("deaf", 40));
  ASSERT_TRUE(rig.wait_for_state("deaf", RunState::running));
  rig.request_cancel("deaf", "canceled by the test");
  EXPECT_EQ(rig.wait_for(command), 0);
  EXPECT_EQ(rig.run("deaf").state, RunState::canceled);
  EXPECT_EQ(rig.run("deaf").outcome.reason, "canceled by the test");
  EXPECT_THAT(rig.processes("deaf"), IsEmpty());
  EXPECT_THAT(rig.missing("deaf", 2), IsEmpty());
}

TEST(Cancel, EndsDaemonsThatOutliveTheirRank) {
  RunRig rig;
  EXPECT_EQ(rig.wait_for(rig.submit(rig.scribe_plan("parent", {1, "--lines 2 --daemonise"}, rig.workspace()))), 0);
  EXPECT_EQ(rig.run("parent").state, RunState::completed);
  EXPECT_THAT(rig.processes("parent"), IsEmpty());
}

TEST(Cancel, LeavesARunOfTheSameNameInAnotherWorkspaceAlone) {
  RunRig rig;
  const Workspace other(rig.folder() / "other");
  const auto twin = rig.submit(rig.command_plan("twin", "echo $$ > ../pid; exec tail -f /dev/null", 0, other), other);
  const fs::path pid_file = other.run("twin").root() / "pid";
  ASSERT_TRUE(wait_until([&] { return read_file_if_exists(pid_file).value_or("").ends_with('\n'); }));
  const pid_t pid = std::stoi(read_file(pid_file));
  const auto command = rig.submit(rig.scribe_plan("twin", {2, "--lines 1000000 --ignore-term"}, rig.workspace()));
  ASSERT_TRUE(rig.wait_for_lines("twin", 10));
  rig.request_cancel("twin", "only this one");
  EXPECT_EQ(rig.wait_for(command), 0);
  EXPECT_EQ(rig.run("twin").state, RunState::canceled);
  ASSERT_TRUE(start_time_of(pid).has_value());
  ::kill(pid, SIGTERM);
  EXPECT_EQ(rig.wait_for(twin), 0);
}

TEST(Cancel, EndsAQueuedRunThatNeverStarted) {
  RunRig rig;
  supervise::Ledger ledger(rig.ledger_folder(), 4);
  const auto busy = ledger.enter("busy", "/elsewhere", 4);
  ASSERT_TRUE(ledger.try_start(busy));
  const auto command = rig.submit(rig.command_plan("waiting", "echo started", 0, rig.workspace()));
  ASSERT_TRUE(rig.wait_for_state("waiting", RunState::queued));
  rig.request_cancel("waiting", "changed my mind");
  EXPECT_EQ(rig.wait_for(command), 0);
  EXPECT_THAT(rig.states("waiting"),
              ElementsAre(RunState::not_started, RunState::queued, RunState::cancel_requested, RunState::canceled));
  EXPECT_EQ(rig.run("waiting").outcome.reason, "changed my mind");
  EXPECT_FALSE(fs::exists(rig.workspace().run("waiting").rank_log(0)));
  EXPECT_EQ(ledger.entries().size(), 1U) << "only the busy one";
}

TEST(Timeout, CancelsTheRun) {
  RunRig rig;
  auto plan = rig.scribe_plan("long", {2, "--lines 1000000"}, rig.workspace());
  plan.timeout_s = 1;
  EXPECT_EQ(rig.wait_for(rig.submit(plan)), 0);
  EXPECT_EQ(rig.run("long").state, RunState::canceled);
  EXPECT_THAT(rig.run("long").outcome.reason, HasSubstr("timeout"));
  EXPECT_THAT(rig.processes("long"), IsEmpty());
  EXPECT_THAT(rig.missing("long", 2), IsEmpty());
}

TEST(Queue, StartsRunsOfTwoWorkspacesInTheirOrder) {
  RunRig rig(2);
  const Workspace other(rig.folder() / "other");
  const Gate gate(rig.folder() / "gate");
  const auto let_go = [&](int ranks) {
    for (int i = 0; i < ranks; ++i) gate.let_one_go();
  };
  const std::string order = (rig.folder() / "order").string();
  const auto job = [&](const std::string& name) { return fmt::format("echo {} >> {}; {}", name, order, gate.wait()); };
  const auto first = rig.submit(rig.command_plan("first", job("first"), 2, rig.workspace()));
  ASSERT_TRUE(rig.wait_for_state("first", RunState::running));
  const auto second = rig.submit(rig.command_plan("second", job("second"), 2, other), other);
  const auto entries = [&] { return supervise::Ledger(rig.ledger_folder(), 2).entries().size(); };
  ASSERT_TRUE(wait_until([&] { return entries() == 2; }));
  const auto third = rig.submit(rig.command_plan("third", job("third"), 1, rig.workspace()));
  ASSERT_TRUE(rig.wait_for_state("third", RunState::queued));
  EXPECT_TRUE(wait_until([&] { return read_file_if_exists(order) == "first\nfirst\n"; })) << "one line a rank";
  let_go(2);
  EXPECT_EQ(rig.wait_for(first), 0);
  EXPECT_TRUE(wait_until([&] { return read_file(order) == "first\nfirst\nsecond\nsecond\n"; }));
  EXPECT_EQ(rig.run("third").state, RunState::queued);
  let_go(2);
  EXPECT_EQ(rig.wait_for(second), 0);
  let_go(1);
  EXPECT_EQ(rig.wait_for(third), 0);
  EXPECT_EQ(read_file(order), "first\nfirst\nsecond\nsecond\nthird\n");
  EXPECT_EQ(rig.run("third").state, RunState::completed);
}

TEST(Abandoned, IsClosedOnceByCommandsThatRunAtTheSameTime) {
  RunRig rig;
  const auto command = rig.submit(rig.scribe_plan("left", {1, "--lines 5"}, rig.workspace()), "supervisor.after_ended");
  ASSERT_NE(rig.wait_for(command), RunRig::still_running);
  ASSERT_FALSE(history::is_terminal(rig.run("left").state));
  ASSERT_TRUE(rig.wait_until_unowned("left")) << "the keeper is still there";
  std::array<pid_t, 4> commands{};
  for (pid_t& each : commands) each = rig.start_closing();
  int closed = 0;
  for (const pid_t each : commands) {
    int status = 0;
    ::waitpid(each, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    closed += WEXITSTATUS(status);
  }
  EXPECT_EQ(closed, 1);
  EXPECT_EQ(rig.run("left").state, RunState::completed) << "the keeper had written how it ended";
  EXPECT_THAT(rig.missing("left", 1), IsEmpty());
}

TEST(Abandoned, LeavesARunWithALivingOwnerAlone) {
  RunRig rig;
  const auto command = rig.submit(rig.scribe_plan("alive", {1, "--lines 1000000"}, rig.workspace()));
  ASSERT_TRUE(rig.wait_for_state("alive", RunState::running));
  EXPECT_EQ(rig.close_abandoned(), 0);
  EXPECT_EQ(rig.run("alive").state, RunState::running);
  rig.request_cancel("alive", "enough");
  EXPECT_EQ(rig.wait_for(command), 0);
}

TEST(Abandoned, LeavesRunsOfOthersAlone) {
  RunRig rig;
  rig.in_command([&] {
    const auto store = history::open_sqlite_store(rig.workspace().store_file());
    history::NewRun foreign;
    foreign.run_id = "from-a-client";
    foreign.experiment_id = store->get_or_create_experiment("e").experiment_id;
    store->create_run(foreign);
    return 0;
  });
  rig.close_abandoned();
  EXPECT_EQ(rig.run("from-a-client").state, RunState::not_started);
}

// It looks abandoned, as a supervised run would: somebody owned it, and there is no folder.
TEST(Abandoned, LeavesRunsToTheClientsThatReportThem) {
  RunRig rig;
  rig.in_command([&] {
    const auto store = history::open_sqlite_store(rig.workspace().store_file());
    history::NewRun reported;
    reported.run_id = "reported";
    reported.experiment_id = "0";
    reported.reported_since_ms = 1;
    store->create_run(reported);
    store->take_ownership("reported");
    return 0;
  });
  EXPECT_EQ(rig.close_abandoned(), 0);
  EXPECT_EQ(rig.run("reported").state, RunState::running);
}

}  // namespace
}  // namespace lockstep::testing
