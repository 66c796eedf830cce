#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <set>

#include "tests/unit/store/search_by_hand.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RunSearch : public ::testing::Test {
 protected:
  // Started at 1000 + the number of runs before it, with this metric and parameter.
  FullRun run(const std::string& run_id) {
    FullRun full;
    full.run.run_id = run_id;
    full.run.experiment_id = "0";
    full.run.state = RunState::running;
    full.run.created_ms = 1000 + count_++;
    return full;
  }
  void insert(const FullRun& full) {
    Transaction transaction(*database_, Survives::process_death);
    insert_run(*database_, full);
    transaction.commit();
  }
  void insert(const std::string& run_id, const std::vector<Metric>& metrics, const std::vector<KeyValue>& params = {},
              const std::vector<KeyValue>& tags = {}) {
    FullRun full = run(run_id);
    full.metrics = metrics;
    full.params = params;
    full.tags = tags;
    insert(full);
  }

  std::vector<std::string> found(const std::vector<Clause>& clauses, const std::vector<SortKey>& order = {}) {
    Search search;
    search.experiment_ids = {"0"};
    search.clauses = clauses;
    search.order = order;
    return ids_of(store_->search_runs(search));
  }
  static std::vector<std::string> ids_of(const FullRunPage& page) {
    std::vector<std::string> ids;
    for (const FullRun& each : page.runs) ids.push_back(each.run.run_id);
    return ids;
  }
  std::string mistake_of(const Search& search) {
    const Error error = error_of([&] { store_->search_runs(search); });
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    return error.what();
  }

  StoreFolder folder_;
  const std::unique_ptr<Store> store_ = folder_.open();
  const std::unique_ptr<Database> database_ = folder_.database();
  int count_ = 0;
};

TEST_F(RunSearch, NaNAndMissingComeLastWhicheverWayIsSorted) {
  insert("nan", {{"m", std::nan(""), 1, 1}});
  insert("none", {});
  insert("low", {{"m", -infinity, 1, 1}});
  insert("high", {{"m", infinity, 1, 1}});
  insert("mid", {{"m", 0, 1, 1}});
  EXPECT_THAT(found({}, {{Field::metric, "m", true, {}, {}}}), ElementsAre("low", "mid", "high", "nan", "none"));
  EXPECT_THAT(found({}, {{Field::metric, "m", false, {}, {}}}), ElementsAre("high", "mid", "low", "nan", "none"));
}

// As IEEE 754 has it, and MLflow.
TEST_F(RunSearch, NaNIsDifferentFromEveryNumberAndNothingElse) {
  insert("nan", {{"m", std::nan(""), 1, 1}});
  insert("zero", {{"m", 0, 1, 1}});
  insert("none", {});
  for (const Comparison comparison : {Comparison::less, Comparison::greater}) {
    EXPECT_THAT(found({{Field::metric, "m", comparison, 0.0}}), IsEmpty());
  }
  for (const Comparison comparison : {Comparison::equal, Comparison::less_or_equal, Comparison::greater_or_equal}) {
    EXPECT_THAT(found({{Field::metric, "m", comparison, 0.0}}), ElementsAre("zero"));
  }
  EXPECT_THAT(found({{Field::metric, "m", Comparison::not_equal, 0.0}}), ElementsAre("nan"));
}

TEST_F(RunSearch, ComparesTheLatestValueOfAMetric) {
  store_->create_run(new_run("a"));
  store_->log_batch("a", std::vector<Metric>{{"m", 5, 1, 1}, {"m", 1, 1, 2}}, {}, {});
  EXPECT_THAT(found({{Field::metric, "m", Comparison::less, 2.0}}), ElementsAre("a"));
  store_->log_batch("a", std::vector<Metric>{{"m", 7, 1, 3}}, {}, {});
  EXPECT_THAT(found({{Field::metric, "m", Comparison::less, 2.0}}), IsEmpty());
}

TEST_F(RunSearch, TellsCapitalsApartInLikeButNotInIlike) {
  insert("small", {}, {{"p", "resnet_50"}});
  insert("large", {}, {{"p", "ResNet*50"}});
  EXPECT_THAT(found({{Field::param, "p", Comparison::like, "res%"}}), ElementsAre("small"));
  EXPECT_THAT(found({{Field::param, "p", Comparison::ilike, "RES%"}}), ElementsAre("large", "small"));
  EXPECT_THAT(found({{Field::param, "p", Comparison::like, "%t_50"}}), ElementsAre("large", "small"));
  EXPECT_THAT(found({{Field::param, "p", Comparison::like, "%*%"}}), ElementsAre("large"));
  EXPECT_THAT(found({{Field::param, "p", Comparison::like, "[r]esnet_50"}}), IsEmpty());
}

TEST_F(RunSearch, AClauseAboutAMissingKeyIsFalse) {
  insert("a", {}, {{"p", "x"}}, {{"t", "x"}});
  insert("b", {});
  EXPECT_THAT(found({{Field::param, "p", Comparison::not_equal, "y"}}), ElementsAre("a"));
  EXPECT_THAT(found({{Field::tag, "t", Comparison::is_null, ""}}), ElementsAre("b"));
  EXPECT_THAT(found({{Field::param, "p", Comparison::is_not_null, ""}}), ElementsAre("a"));
}

TEST_F(RunSearch, NewestStartComesFirstThenTheLowerId) {
  FullRun b = run("b");
  FullRun a = run("a");
  FullRun c = run("c");
  a.run.started_ms = b.run.started_ms = 5000;
  insert(b);
  insert(a);
  insert(c);
  EXPECT_THAT(found({}), ElementsAre("a", "b", "c"));
  EXPECT_THAT(found({{Field::attribute, "start_time", Comparison::equal, 1002.0}}), ElementsAre("c"));
  EXPECT_THAT(found({{Field::attribute, "end_time", Comparison::not_equal, 1.0}}), IsEmpty());
}

TEST_F(RunSearch, KnowsStatesByMlflowsWords) {
  for (const RunState state : {RunState::queued, RunState::paused, RunState::cancel_requested, RunState::canceled}) {
    FullRun full = run(std::string(name_of(state)));
    full.run.state = state;
    insert(full);
  }
  EXPECT_THAT(found({{Field::attribute, "status", Comparison::equal, "SCHEDULED"}}), ElementsAre("Paused", "Queued"));
  EXPECT_THAT(found({{Field::attribute, "status", Comparison::like, "%LED"}}),
              ElementsAre("Canceled", "Paused", "Queued"));
  EXPECT_THAT(found({}, {{Field::attribute, "status", true, {}, {}}}),
              ElementsAre("Canceled", "CancelRequested", "Paused", "Queued"));
}

TEST_F(RunSearch, LooksOnlyWhereItIsTold) {
  insert("here", {});
  FullRun archived = run("archived");
  archived.run.lifecycle = Lifecycle::archived;
  insert(archived);
  Search search;
  EXPECT_THAT(ids_of(store_->search_runs(search)), IsEmpty());
  search.experiment_ids = {"7", "0"};
  EXPECT_THAT(ids_of(store_->search_runs(search)), ElementsAre("here"));
  search.view = View::archived_only;
  EXPECT_THAT(ids_of(store_->search_runs(search)), ElementsAre("archived"));
  search.view = View::all;
  EXPECT_THAT(ids_of(store_->search_runs(search)), ElementsAre("archived", "here"));
  search.experiment_ids = {"0", "Default"};
  EXPECT_EQ(mistake_of(search), "Invalid experiment ID 'Default'. Experiment ID must be a valid integer.");
}

// Runs begin while somebody turns the pages; what was there before is seen once, what is new at most once.
TEST_F(RunSearch, PagesStayPutWhileRunsAreAdded) {
  for (const bool by_metric : {false, true}) {
    const std::string prefix = by_metric ? "m" : "s";
    Search search;
    search.experiment_ids = {"0"};
    search.clauses = {{Field::attribute, "run_id", Comparison::like, prefix + "%"}};
    if (by_metric) search.order = {{Field::metric, "m", true, {}, {}}};
    search.max_results = 7;
    for (int i = 0; i < 60; ++i) insert(fmt::format("{}-old-{:02}", prefix, i), {{"m", i % 5 + 0.0, 1, 1}});
    std::multiset<std::string> seen;
    int added = 0;
    do {
      const FullRunPage page = store_->search_runs(search);
      for (const std::string& id : ids_of(page)) seen.insert(id);
      search.page_token = page.next_page_token;
      for (int i = 0; i < 5; ++i, ++added) insert(fmt::format("{}-new-{:03}", prefix, added), {{"m", i * 1.0, 1, 1}});
    } while (!search.page_token.empty());
    for (int i = 0; i < 60; ++i) EXPECT_EQ(seen.count(fmt::format("{}-old-{:02}", prefix, i)), 1U) << i;
    for (int i = 0; i < added; ++i) EXPECT_LE(seen.count(fmt::format("{}-new-{:03}", prefix, i)), 1U) << i;
  }
}

TEST_F(RunSearch, RefusesATokenOfAnotherSearchOrOneThatWasChanged) {
  for (int i = 0; i < 3; ++i) insert(fmt::format("r{}", i), {});
  Search search;
  search.experiment_ids = {"0"};
  search.max_results = 1;
  const std::string token = store_->search_runs(search).next_page_token;
  search.page_token = token;
  search.max_results = 2;  // may change
  EXPECT_THAT(ids_of(store_->search_runs(search)), ElementsAre("r1", "r0"));
  for (const std::string& bad :
       std::vector<std::string>{"x", token + "0", token + ".n", token.substr(0, token.size() - 1), token.substr(0, 16),
                                token.substr(0, 16) + ".n.n", token.substr(0, 17) + "t00.t00"}) {
    search.page_token = bad;
    EXPECT_THAT(mistake_of(search), HasSubstr("Invalid page token")) << bad;
  }
  search.page_token = token;
  search.view = View::all;
  EXPECT_THAT(mistake_of(search), HasSubstr("of another search"));
}

TEST_F(RunSearch, HasLimits) {
  Search search;
  for (const int good : {1, 50'000}) {
    search.max_results = good;
    EXPECT_NO_THROW(store_->search_runs(search));
  }
  search.max_results = 0;
  EXPECT_EQ(mistake_of(search), "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer");
  search.max_results = 50'001;
  EXPECT_EQ(mistake_of(search), "Invalid value 50001 for parameter 'max_results' supplied. It must be at most 50000");
  search.max_results = 1;
  search.experiment_ids = {"0"};
  search.clauses = {{Field::param, "p", Comparison::like, std::string(1001, '%')}};
  EXPECT_THAT(mistake_of(search), HasSubstr("a pattern for LIKE"));
}

// What is asked for never becomes SQL.
TEST_F(RunSearch, TakesQuotesAndSqlAsPlainText) {
  const std::string evil = "x' OR 1=1; DROP TABLE runs; --\" `";
  insert("a", {{evil, 1, 1, 1}}, {{evil, evil}}, {{evil, evil}});
  insert("b", {});
  for (const Field field : {Field::param, Field::tag}) {
    EXPECT_THAT(found({{field, evil, Comparison::equal, evil}}, {{field, evil, true, {}, {}}}), ElementsAre("a"));
    EXPECT_THAT(found({{field, evil, Comparison::like, evil}}), ElementsAre("a"));
  }
  EXPECT_THAT(found({{Field::metric, evil, Comparison::equal, 1.0}}, {{Field::metric, evil, true, {}, {}}}),
              ElementsAre("a"));
  EXPECT_THAT(found({{Field::attribute, "run_id", Comparison::in, std::vector<std::string>{evil, "b"}}}),
              ElementsAre("b"));
  EXPECT_EQ(error_of([&] { found({{Field::attribute, evil, Comparison::equal, "x"}}); }).code(), ExitCode::bad_input);
}

}  // namespace
}  // namespace lockstep::history
