#include <gtest/gtest.h>

#include "common/clock.hpp"
#include "tests/support/wait_until.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

TEST(StoreTransitions, KeepStateTimesReasonsAndOutcome) {
  const StoreFolder folder;
  const auto store = folder.open();
  const std::int64_t before = now_ms();
  store->create_run(new_run("a"));
  const std::int64_t epoch = store->take_ownership("a");
  EXPECT_EQ(epoch, 1);
  store->transition("a", epoch, RunState::queued, because("2 runs before it"));
  store->transition("a", epoch, RunState::running);
  EXPECT_GE(store->get_run("a").started_ms, before);
  EXPECT_EQ(store->get_run("a").outcome, Outcome{});
  store->transition("a", epoch, RunState::finalizing);
  Outcome outcome = because("rank 3 was killed by signal 9");
  outcome.exit_code = 137;
  outcome.signal = 9;
  outcome.first_failed_rank = 3;
  store->transition("a", epoch, RunState::failed, outcome);

  const auto run = store->get_run("a");
  EXPECT_EQ(run.state, RunState::failed);
  EXPECT_EQ(run.outcome, outcome);
  EXPECT_GE(run.ended_ms, run.started_ms);
  EXPECT_LE(run.ended_ms, now_ms());
  EXPECT_EQ(run.epoch, 1);
  const auto history = store->state_history("a");
  ASSERT_EQ(history.size(), 5U);
  const RunState expected[] = {RunState::not_started, RunState::queued, RunState::running, RunState::finalizing,
                               RunState::failed};
  for (std::size_t i = 0; i < history.size(); ++i) {
    EXPECT_EQ(history[i].state, expected[i]);
    EXPECT_GE(history[i].timestamp_ms, i == 0 ? before : history[i - 1].timestamp_ms);
  }
  EXPECT_EQ(history[1].reason, "2 runs before it");
  EXPECT_EQ(history[4].reason, outcome.reason);
}

TEST(StoreTransitions, RefuseWritesOfAnOlderEpoch) {
  const StoreFolder folder;
  const auto store = folder.open();
  store->create_run(new_run("a"));
  const std::int64_t old_epoch = store->take_ownership("a");
  const std::int64_t new_epoch = folder.open()->take_ownership("a");
  EXPECT_EQ(new_epoch, old_epoch + 1);
  EXPECT_THROW(store->transition("a", old_epoch, RunState::running), StaleOwner);
  EXPECT_THROW(store->transition("a", new_epoch + 1, RunState::running), StaleOwner);
  EXPECT_EQ(store->get_run("a").state, RunState::not_started);
  EXPECT_EQ(store->state_history("a").size(), 1U);
  store->transition("a", new_epoch, RunState::running);
  EXPECT_EQ(store->get_run("a").state, RunState::running);
}

TEST(StoreTransitions, FollowTheTable) {
  const StoreFolder folder;
  const auto store = folder.open();
  store->create_run(new_run("a"));
  store->transition("a", 0, RunState::queued);
  try {
    store->transition("a", 0, RunState::completed);
    FAIL() << "a queued run was completed";
  } catch (const RefusedTransition& refused) {
    EXPECT_EQ(refused.current(), RunState::queued);
    EXPECT_EQ(refused.code(), ExitCode::failed);
    EXPECT_STREQ(refused.what(), "run a is Queued; Completed can't follow");
  }
  store->transition("a", 0, RunState::canceled, because("enough"));
  EXPECT_THROW(store->transition("a", 0, RunState::failed), RefusedTransition);
  EXPECT_EQ(store->get_run("a").outcome.reason, "enough");
}

TEST(StoreTransitions, KeepTheFirstStartOverARestart) {
  const StoreFolder folder;
  const auto store = folder.open();
  store->create_run(new_run("a"));
  store->transition("a", 0, RunState::running);
  const std::int64_t started = store->get_run("a").started_ms;
  ASSERT_TRUE(lockstep::testing::wait_until([&] { return now_ms() > started; }));
  store->transition("a", 0, RunState::preparing);
  store->transition("a", 0, RunState::running);
  EXPECT_EQ(store->get_run("a").started_ms, started);
}

TEST(StoreTransitions, TakeReasonsThatQuoteBrokenLogs) {
  const StoreFolder folder;
  const auto store = folder.open();
  store->create_run(new_run("a"));
  store->transition("a", 0, RunState::failed, because("last line: \xFF\xFE!"));
  EXPECT_EQ(store->get_run("a").outcome.reason, "last line: \xEF\xBF\xBD\xEF\xBF\xBD!");
}

TEST(StoreCancel, IsAskedForOnce) {
  const StoreFolder folder;
  const auto store = folder.open();
  store->create_run(new_run("a"));
  const std::int64_t epoch = store->take_ownership("a");
  EXPECT_TRUE(folder.open()->request_cancel("a", "by ada"));
  EXPECT_FALSE(store->request_cancel("a", "by bob"));
  EXPECT_EQ(store->get_run("a").state, RunState::cancel_requested);
  EXPECT_EQ(store->get_run("a").epoch, epoch);
  EXPECT_EQ(store->state_history("a").back().reason, "by ada");
  store->transition("a", epoch, RunState::finalizing);
  EXPECT_FALSE(store->request_cancel("a", "by bob"));
  EXPECT_EQ(store->get_run("a").state, RunState::finalizing);
  store->transition("a", epoch, RunState::canceled, because("canceled by ada"));
  EXPECT_FALSE(store->request_cancel("a", "by bob"));
  EXPECT_EQ(store->state_history("a").size(), 4U);
}

TEST(StoreCancel, TurnsTheOwnerAwayFromGoingOn) {
  const StoreFolder folder;
  const auto store = folder.open();
  store->create_run(new_run("a"));
  store->transition("a", 0, RunState::queued);
  store->request_cancel("a", "by ada");
  try {
    store->transition("a", 0, RunState::running);
    FAIL() << "a run that is to be canceled was started";
  } catch (const RefusedTransition& refused) {
    EXPECT_EQ(refused.current(), RunState::cancel_requested);
  }
}

}  // namespace
}  // namespace lockstep::history
