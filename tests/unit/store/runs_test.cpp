#include <gmock/gmock.h>

#include "common/clock.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Store, HasTheDefaultExperimentFromTheStart) {
  const StoreFolder folder;
  const auto store = folder.open();
  EXPECT_EQ(store->get_experiment("0").name, "Default");
  EXPECT_EQ(store->get_or_create_experiment("Default").experiment_id, "0");
  EXPECT_LE(std::abs(store->get_experiment("Default").created_ms - now_ms()), 60'000);
}

TEST(Store, GivesTheSameExperimentForTheSameName) {
  const StoreFolder folder;
  const auto store = folder.open();
  const Experiment first = store->get_or_create_experiment("mnist");
  EXPECT_EQ(first.experiment_id, "1");
  EXPECT_EQ(store->get_or_create_experiment("mnist").experiment_id, "1");
  EXPECT_EQ(store->get_or_create_experiment("other").experiment_id, "2");
  EXPECT_EQ(store->get_experiment("1").name, "mnist");
  const Error error = error_of([&] { store->get_experiment("minst"); });
  EXPECT_EQ(error.code(), ExitCode::not_found);
  EXPECT_THAT(error.what(), HasSubstr("did you mean 'mnist'?"));
}

TEST(Store, KeepsEverythingAboutANewRun) {
  const StoreFolder folder;
  {
    const auto store = folder.open();
    NewRun run = new_run("brave_fox_1", store->get_or_create_experiment("mnist").experiment_id);
    run.display_name = "brave fox";
    run.user_id = "ada";
    run.artifact_uri = "file:///x/outputs";
    run.compute = "local";
    run.params = {{"lr", "0.1"}};
    run.tags = {{"mlflow.user", "ada"}, {"note", "\xC3\xA9t\xC3\xA9"}};
    store->create_run(run);
    NewRun child = new_run("child");
    child.parent_run_id = "brave_fox_1";
    store->create_run(child);
  }
  const auto store = folder.open();
  const auto run = store->get_run("brave_fox_1");
  EXPECT_EQ(run.experiment_name, "mnist");
  EXPECT_EQ(run.display_name, "brave fox");
  EXPECT_EQ(run.user_id, "ada");
  EXPECT_EQ(run.artifact_uri, "file:///x/outputs");
  EXPECT_EQ(run.compute, "local");
  EXPECT_EQ(run.state, RunState::not_started);
  EXPECT_EQ(run.epoch, 0);
  EXPECT_EQ(run.started_ms, 0);
  EXPECT_EQ(run.ended_ms, 0);
  EXPECT_LE(std::abs(run.created_ms - now_ms()), 60'000);
  EXPECT_EQ(store->get_run("child").parent_run_id, "brave_fox_1");
  EXPECT_THAT(store->params("brave_fox_1"), ElementsAre(KeyValue{"lr", "0.1"}));
  EXPECT_THAT(store->tags("brave_fox_1"),
              ElementsAre(KeyValue{"mlflow.runName", "brave fox"}, KeyValue{"mlflow.user", "ada"},
                          KeyValue{"note", "\xC3\xA9t\xC3\xA9"}));
}

TEST(Store, RefusesARunWhoseIdIsTaken) {
  const StoreFolder folder;
  const auto store = folder.open();
  store->create_run(new_run("a1"));
  const Error error = error_of([&] { store->create_run(new_run("a1")); });
  EXPECT_EQ(error.code(), ExitCode::bad_input);
  EXPECT_THAT(error.what(), HasSubstr("'a1' exists already"));
  EXPECT_EQ(store->list_runs({}).runs.size(), 1U);
}

TEST(Store, CreatesNothingWhenAnythingOfARunIsWrong) {
  const StoreFolder folder;
  const auto store = folder.open();
  NewRun run = new_run("a1");
  run.tags = {{"fine", "x"}, {"bad?", "x"}};
  EXPECT_EQ(error_of([&] { store->create_run(run); }).code(), ExitCode::bad_input);
  EXPECT_EQ(error_of([&] { store->create_run(new_run("a2", "77")); }).code(), ExitCode::not_found);
  run = new_run("a3");
  run.parent_run_id = "nobody";
  EXPECT_EQ(error_of([&] { store->create_run(run); }).code(), ExitCode::not_found);
  EXPECT_TRUE(store->list_runs({}).runs.empty());
}

TEST(Store, NamesTheNearestRunWhenOneIsNotFound) {
  const StoreFolder folder;
  const auto store = folder.open();
  store->create_run(new_run("brave_fox_1"));
  store->create_run(new_run("calm_owl_2"));
  for (const auto& action : std::vector<std::function<void()>>{
           [&] { store->get_run("brave_fix_1"); }, [&] { store->params("brave_fix_1"); },
           [&] { store->take_ownership("brave_fix_1"); }, [&] { store->request_cancel("brave_fix_1", ""); },
           [&] { store->state_history("brave_fix_1"); }, [&] { store->take_journal("brave_fix_1", {}); },
           [&] { store->set_lifecycle("brave_fix_1", Lifecycle::archived); },
           [&] { store->transition("brave_fix_1", 0, RunState::queued); }}) {
    const Error error = error_of(action);
    EXPECT_EQ(error.code(), ExitCode::not_found);
    EXPECT_STREQ(error.what(), "no run 'brave_fix_1'; did you mean 'brave_fox_1'?");
  }
}

TEST(Store, ListsRunsByExperimentParentAndLifecycle) {
  const StoreFolder folder;
  const auto store = folder.open();
  const std::string mnist = store->get_or_create_experiment("mnist").experiment_id;
  store->create_run(new_run("a"));
  store->create_run(new_run("b", mnist));
  NewRun child = new_run("c", mnist);
  child.parent_run_id = "a";
  store->create_run(child);
  store->create_run(new_run("d"));
  store->set_lifecycle("d", Lifecycle::archived);
  store->transition("b", 0, RunState::failed, because("x"));

  const auto ids = [&](const RunQuery& query) {
    std::vector<std::string> all;
    for (const auto& run : store->list_runs(query).runs) all.push_back(run.run_id);
    return all;
  };
  RunQuery query;
  EXPECT_THAT(ids(query), ElementsAre("c", "b", "a"));
  query.only_unfinished = true;
  EXPECT_THAT(ids(query), ElementsAre("c", "a"));
  query = {};
  query.experiment_id = mnist;
  EXPECT_THAT(ids(query), ElementsAre("c", "b"));
  query.parent_run_id = "a";
  EXPECT_THAT(ids(query), ElementsAre("c"));
  query = {};
  query.view = View::archived_only;
  EXPECT_THAT(ids(query), ElementsAre("d"));
  query.view = View::all;
  EXPECT_THAT(ids(query), ElementsAre("d", "c", "b", "a"));
  store->set_lifecycle("d", Lifecycle::active);
  EXPECT_EQ(store->get_run("d").lifecycle, Lifecycle::active);
}

TEST(Store, ListsNothingOfAnExperimentOrParentThatIsNotThere) {
  const StoreFolder folder;
  const auto store = folder.open();
  store->create_run(new_run("a"));
  RunQuery query;
  for (const std::string experiment : {"abc", "7"}) {
    query.experiment_id = experiment;
    EXPECT_EQ(error_of([&] { store->list_runs(query); }).code(), ExitCode::not_found) << experiment;
  }
  query = {};
  query.parent_run_id = "b";
  EXPECT_EQ(error_of([&] { store->list_runs(query); }).code(), ExitCode::not_found);
}

TEST(Store, KeepsPagesStableWhileRunsAreAdded) {
  const StoreFolder folder;
  const auto store = folder.open();
  std::vector<std::string> expected;
  for (int i = 0; i < 25; ++i) {
    store->create_run(new_run(fmt::format("run{}", i)));
    expected.insert(expected.begin(), fmt::format("run{}", i));
  }
  std::vector<std::string> seen;
  RunQuery query;
  query.max_results = 10;
  int pages = 0;
  do {
    const RunPage page = store->list_runs(query);
    for (const auto& run : page.runs) seen.push_back(run.run_id);
    query.page_token = page.next_page_token;
    store->create_run(new_run(fmt::format("new{}", pages++)));
  } while (!query.page_token.empty());
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(pages, 3);
}

TEST(Store, EndsAListThatFitsItsPageExactly) {
  const StoreFolder folder;
  const auto store = folder.open();
  store->create_run(new_run("a"));
  store->create_run(new_run("b"));
  RunQuery query;
  query.max_results = 2;
  EXPECT_EQ(store->list_runs(query).next_page_token, "");
}

TEST(Store, RefusesPageTokensAndSizesThatMeanNothing) {
  const StoreFolder folder;
  const auto store = folder.open();
  for (const std::string token : {"x", "r", "r0", "r-5", "12", "r1x", "r99999999999999999999", "r 1"}) {
    RunQuery query;
    query.page_token = token;
    EXPECT_EQ(error_of([&] { store->list_runs(query); }).code(), ExitCode::bad_input) << token;
  }
  for (const int size : {0, -1, 50'001}) {
    RunQuery query;
    query.max_results = size;
    EXPECT_EQ(error_of([&] { store->list_runs(query); }).code(), ExitCode::bad_input) << size;
  }
}

}  // namespace
}  // namespace lockstep::history
