// Runs of another history: what the store makes of what it is given. That nothing gets lost between two stores,
// tests/unit/transfer shows.
#include <gmock/gmock.h>

#include <cmath>

#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::HasSubstr;

ImportedRun imported(const std::string& run_id, RunState state, bool reported = true) {
  ImportedRun run;
  run.run.run.run_id = run_id;
  run.run.run.experiment_id = "0";
  run.run.run.state = state;
  run.run.run.reported = reported;
  run.run.run.created_ms = 1;
  run.run.run.started_ms = 2;
  run.run.run.ended_ms = is_terminal(state) ? 3 : 0;
  return run;
}

NextSeries pieces(std::vector<std::pair<std::string, std::vector<Metric>>> all) {
  return [all = std::move(all), at = std::size_t{0}](std::string& key, std::vector<Metric>& points) mutable {
    if (at == all.size()) return false;
    std::tie(key, points) = all[at++];
    return true;
  };
}

class StoreImports : public ::testing::Test {
 protected:
  StoreFolder folder_;
  std::unique_ptr<Store> store_ = folder_.open();
};

TEST_F(StoreImports, MakeUpAStateHistoryFromTheTimes) {
  store_->import_run(imported("owned", RunState::failed, false), pieces({}));
  const auto states = store_->state_history("owned");
  ASSERT_EQ(states.size(), 3U);
  EXPECT_EQ(states[0].state, RunState::not_started);
  EXPECT_EQ(states[0].timestamp_ms, 1);
  EXPECT_EQ(states[1].state, RunState::running);
  EXPECT_EQ(states[1].timestamp_ms, 2);
  EXPECT_EQ(states[2].state, RunState::failed);
  EXPECT_EQ(states[2].timestamp_ms, 3);
}

TEST_F(StoreImports, KeepEveryValueAndFindTheLatest) {
  const double nan = std::nan("");
  store_->import_run(imported("a", RunState::completed), pieces({{"k", {{"", 1, 10, 1}, {"", 3, 30, 3}}},
                                                                 {"l", {{"", nan, 5, 5}}},
                                                                 {"k", {{"", 2, 20, 2}, {"", 2, 20, 2}}},
                                                                 {"l", {{"", 4, 5, 5}, {"", nan, 6, 5}}}}));
  EXPECT_EQ(store_->metric_history("a", "k").size(), 4U);
  const auto latest = store_->latest_metrics("a");
  ASSERT_EQ(latest.size(), 2U);
  EXPECT_EQ(latest[0], (Metric{"k", 3, 30, 3}));
  EXPECT_TRUE(std::isnan(latest[1].value));
  EXPECT_EQ(latest[1].timestamp_ms, 6);
  EXPECT_EQ(store_->metric_history_page("a", "k", 2, "").metrics.back(), (Metric{"k", 2, 20, 2}));  // not in order
  store_->log_batch("a", {{{"k", 9, 40, 4}}}, {}, {});
  EXPECT_EQ(store_->metric_interval("a", "k", {}, {}, 10).size(), 5U);
}

TEST_F(StoreImports, AreRefusedAsAWhole) {
  const auto mistake = [&](const ImportedRun& run, const NextSeries& next) {
    return std::string(error_of([&] { store_->import_run(run, next); }).what());
  };
  EXPECT_THAT(mistake(imported("../x", RunState::completed), pieces({})), HasSubstr("no run id"));
  EXPECT_THAT(mistake(imported("a", RunState::completed), pieces({{"k", {{"", 1, 1, 1}}}, {"../k", {{"", 1, 1, 1}}}})),
              HasSubstr("no plain relative path"));
  EXPECT_THAT(mistake(imported("a", RunState::completed), pieces({{"k", {{"", 1, -1, 1}}}})), HasSubstr("before 1970"));
  EXPECT_THROW(store_->get_run("a"), Error);
  EXPECT_TRUE(store_->import_run(imported("a", RunState::completed), pieces({})));
  EXPECT_FALSE(store_->import_run(imported("a", RunState::failed), pieces({})));
  EXPECT_EQ(store_->get_run("a").state, RunState::completed);
}

TEST_F(StoreImports, GiveAnExperimentItsIdIfThatIsFree) {
  Experiment experiment;
  experiment.name = "far away";
  experiment.experiment_id = "757756813467233065";
  EXPECT_EQ(store_->import_experiment(experiment), "757756813467233065");
  experiment.name = "another";
  EXPECT_NE(store_->import_experiment(experiment), "757756813467233065");
  experiment.experiment_id = "not a number";
  experiment.name = "third";
  const std::string id = store_->import_experiment(experiment);
  EXPECT_EQ(store_->get_experiment_by_name("third").experiment_id, id);
  EXPECT_EQ(store_->import_experiment(experiment), id);
}

TEST_F(StoreImports, OfAModelNeedTheVersionsThatItsAliasesName) {
  ImportedModel model;
  model.model.name = "net";
  model.model.aliases = {{"champion", 2}};
  EXPECT_THAT(error_of([&] { store_->import_registered_model(model); }).what(), HasSubstr("which is not there"));
  EXPECT_THROW(store_->get_registered_model("net"), Error);
}

}  // namespace
}  // namespace lockstep::history
