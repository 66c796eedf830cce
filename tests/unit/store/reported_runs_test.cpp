// Runs as MLflow's clients make and change them, and the fields that are tags, too.
#include <gmock/gmock.h>

#include "common/clock.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class ReportedRuns : public ::testing::Test {
 protected:
  void SetUp() override {
    NewRun run = new_run("r");
    run.reported_since_ms = 5000;
    store_->create_run(run);
    store_->create_run(new_run("owned"));
  }
  void update(const std::string& run_id, std::optional<RunState> state, std::optional<std::int64_t> ended_ms = {},
              std::optional<std::string> name = {}) {
    store_->update_run(run_id, {.state = state, .ended_ms = ended_ms, .display_name = std::move(name)});
  }
  void tag(const std::string& run_id, const std::string& key, const std::string& value) {
    const KeyValue pair{key, value};
    store_->log_batch(run_id, {}, {}, {&pair, 1});
  }
  std::size_t unfinished() {
    RunQuery query;
    query.only_unfinished = true;
    return store_->list_runs(query).runs.size();
  }

  StoreFolder folder_;
  const std::unique_ptr<Store> store_ = folder_.open();
};

TEST_F(ReportedRuns, RunFromTheTimeThatTheirClientSays) {
  const auto run = store_->get_run("r");
  EXPECT_TRUE(run.reported);
  EXPECT_EQ(run.state, RunState::running);
  EXPECT_EQ(run.started_ms, 5000);
  EXPECT_EQ(run.ended_ms, 0);
  const auto states = store_->state_history("r");
  ASSERT_EQ(states.size(), 1U);
  EXPECT_EQ(states[0].state, RunState::running);
  EXPECT_EQ(states[0].timestamp_ms, 5000);
  EXPECT_FALSE(store_->get_run("owned").reported);
  EXPECT_TRUE(store_->list_runs({}).runs[1].reported);
}

TEST_F(ReportedRuns, GoFromAnyStateToAnyOther) {
  for (const RunState from : {RunState::completed, RunState::failed, RunState::canceled, RunState::running}) {
    for (const RunState to : {RunState::queued, RunState::failed, RunState::running, RunState::completed}) {
      update("r", from);
      update("r", to);
      const auto run = store_->get_run("r");
      EXPECT_EQ(run.state, to);
      EXPECT_EQ(run.ended_ms > 0, is_terminal(to));
      EXPECT_EQ(unfinished(), is_terminal(to) ? 1U : 2U);
      EXPECT_EQ(store_->state_history("r").back().state, to);
    }
  }
}

TEST_F(ReportedRuns, AreCanceledAtOnceBecauseNobodyWouldActOnTheWish) {
  EXPECT_TRUE(store_->request_cancel("r", "asked to"));
  EXPECT_EQ(store_->get_run("r").state, RunState::canceled);
  EXPECT_EQ(store_->get_run("r").outcome.reason, "asked to");
  EXPECT_FALSE(store_->request_cancel("r", "again"));
  EXPECT_TRUE(store_->request_cancel("owned", "asked to"));
  EXPECT_EQ(store_->get_run("owned").state, RunState::cancel_requested);
}

TEST_F(ReportedRuns, EndWhenTheirClientSaysOrNow) {
  update("r", RunState::completed, 9000);
  EXPECT_EQ(store_->get_run("r").ended_ms, 9000);
  update("r", RunState::completed);
  EXPECT_EQ(store_->get_run("r").ended_ms, 9000);
  update("r", {}, 9500);
  EXPECT_EQ(store_->get_run("r").ended_ms, 9500);
  EXPECT_EQ(store_->state_history("r").size(), 2U);
  update("r", RunState::failed);
  EXPECT_LE(std::abs(store_->get_run("r").ended_ms - now_ms()), 60'000);
}

TEST_F(ReportedRuns, ForgetHowTheyEndedWhenTheyAreTakenUpAgain) {
  Outcome outcome = because("out of memory");
  outcome.exit_code = 1;
  outcome.signal = 9;
  outcome.first_failed_rank = 3;
  store_->transition("r", 0, RunState::failed, outcome);
  EXPECT_EQ(store_->get_run("r").outcome, outcome);
  update("r", RunState::running);
  const auto run = store_->get_run("r");
  EXPECT_EQ(run.outcome, Outcome{});
  EXPECT_EQ(run.ended_ms, 0);
  EXPECT_EQ(run.started_ms, 5000);
}

TEST_F(ReportedRuns, AreTheOnlyOnesWhoseStateAClientChanges) {
  update("owned", RunState::completed, 9000, "my try");
  const auto run = store_->get_run("owned");
  EXPECT_EQ(run.state, RunState::not_started);
  EXPECT_EQ(run.ended_ms, 0);
  EXPECT_EQ(run.display_name, "my try");
  store_->transition("owned", 0, RunState::failed, because("x"));
  const std::int64_t ended_ms = store_->get_run("owned").ended_ms;
  update("owned", RunState::running, 1);
  EXPECT_EQ(store_->get_run("owned").state, RunState::failed);
  EXPECT_EQ(store_->get_run("owned").ended_ms, ended_ms);
}

TEST_F(ReportedRuns, AreNotChangedByAnUpdateThatIsRefused) {
  EXPECT_EQ(error_of([&] { update("r", RunState::completed, 9000, "\xFF"); }).code(), ExitCode::bad_input);
  EXPECT_EQ(store_->get_run("r").state, RunState::running);
}

TEST_F(ReportedRuns, TakeNothingMoreWhileTheyAreArchived) {
  const Metric metric{"m", 1, 1, 1};
  tag("r", "t", "1");
  store_->set_lifecycle("r", Lifecycle::archived);
  const std::vector<std::function<void()>> writes = {[&] {
                                                       store_->log_batch("r", {&metric, 1}, {}, {});
                                                     },
                                                     [&] { tag("r", "t", "2"); },
                                                     [&] { store_->delete_tag("r", "t"); },
                                                     [&] { store_->log_inputs("r", {}, {}); },
                                                     [&] { store_->log_outputs("r", {}); },
                                                     [&] { update("r", RunState::completed); }};
  for (const auto& write : writes) {
    const Error error = error_of(write);
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    EXPECT_STREQ(error.what(), "The run r must be in the 'active' state. Current state is deleted.");
  }
  JournalBatch batch;
  batch.through_sequence = 0;
  batch.metrics = {metric};
  EXPECT_THAT(store_->take_journal("r", batch), IsEmpty());
  EXPECT_EQ(store_->metric_history("r", "m").size(), 1U);
  EXPECT_THAT(store_->tags("r"), ElementsAre(KeyValue{"t", "1"}));
}

TEST_F(ReportedRuns, HaveTheirFieldsAsTags) {
  NewRun run = new_run("child");
  run.display_name = "brave fox";
  run.user_id = "ada";
  run.parent_run_id = "r";
  run.tags = {{"mlflow.user", "somebody else"}, {"note", "x"}};
  store_->create_run(run);
  EXPECT_THAT(store_->tags("child"),
              ElementsAre(KeyValue{"mlflow.parentRunId", "r"}, KeyValue{"mlflow.runName", "brave fox"},
                          KeyValue{"mlflow.user", "ada"}, KeyValue{"note", "x"}));
  EXPECT_THAT(store_->tags("owned"), IsEmpty());
}

TEST_F(ReportedRuns, HaveTheirFieldsFromTags) {
  NewRun run = new_run("child");
  run.tags = {{"mlflow.runName", "no"},
              {"mlflow.runName", "brave fox"},
              {"mlflow.user", "ada"},
              {"mlflow.parentRunId", "not-here"}};
  store_->create_run(run);
  const auto made = store_->get_run("child");
  EXPECT_EQ(made.display_name, "brave fox");
  EXPECT_EQ(made.user_id, "ada");
  EXPECT_EQ(made.parent_run_id, "not-here");
  EXPECT_EQ(store_->tags("child").size(), 3U);
}

TEST_F(ReportedRuns, ChangeNameAndParentWithTheirTags) {
  tag("r", "mlflow.runName", "calm owl");
  EXPECT_EQ(store_->get_run("r").display_name, "calm owl");
  tag("r", "mlflow.runName", "");
  EXPECT_EQ(store_->get_run("r").display_name, "calm owl");
  update("r", {}, {}, "shy elk");
  EXPECT_THAT(store_->tags("r"), ElementsAre(KeyValue{"mlflow.runName", "shy elk"}));
  tag("r", "mlflow.parentRunId", "owned");
  RunQuery children;
  children.parent_run_id = "owned";
  EXPECT_EQ(store_->list_runs(children).runs.at(0).run_id, "r");
  store_->delete_tag("r", "mlflow.parentRunId");
  EXPECT_THAT(store_->list_runs(children).runs, IsEmpty());
  EXPECT_EQ(store_->get_run("r").parent_run_id, "");
}

TEST_F(ReportedRuns, LoseATagThatIsDeletedAndNoOther) {
  tag("r", "t", "1");
  tag("r", "u", "2");
  tag("owned", "t", "3");
  store_->delete_tag("r", "t");
  EXPECT_THAT(store_->tags("r"), ElementsAre(KeyValue{"u", "2"}));
  EXPECT_THAT(store_->tags("owned"), ElementsAre(KeyValue{"t", "3"}));
  const Error error = error_of([&] { store_->delete_tag("r", "t"); });
  EXPECT_EQ(error.code(), ExitCode::not_found);
  EXPECT_STREQ(error.what(), "No tag with name: t in run with id r");
  tag("r", "mlflow.runName", "calm owl");
  store_->delete_tag("r", "mlflow.runName");
  EXPECT_EQ(store_->get_run("r").display_name, "calm owl");
  EXPECT_THAT(store_->tags("r"), Not(Contains(KeyValue{"mlflow.runName", "calm owl"})));
}

}  // namespace
}  // namespace lockstep::history
