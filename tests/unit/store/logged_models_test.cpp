#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/clock.hpp"
#include "tests/support/wait_until.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {
class LoggedModelsTest : public ::testing::Test {
 protected:
  LoggedModel create(const std::string& id, const std::string& name, std::vector<KeyValue> params = {},
                     std::vector<KeyValue> tags = {}, const std::string& experiment_id = "0") {
    NewLoggedModel model;
    model.model_id = id;
    model.experiment_id = experiment_id;
    model.name = name;
    model.artifact_uri = "mlflow-artifacts:/0/models/" + id + "/artifacts";
    model.model_type = "agent";
    model.source_run_id = "run-of-" + id;
    model.params = std::move(params);
    model.tags = std::move(tags);
    return store_->create_logged_model(model);
  }

  void log(const std::string& id, const std::string& key, double value, std::int64_t timestamp, std::int64_t step,
           const std::string& dataset = "", const std::string& digest = "") {
    std::vector<ModelMetric> metrics(1);
    metrics[0] = {
        .metric = {key, value, timestamp, step}, .run_id = "r1", .dataset_name = dataset, .dataset_digest = digest};
    store_->log_model_metrics(id, metrics);
  }

  std::vector<std::string> found(const Search& search) {
    std::vector<std::string> names;
    for (const auto& model : store_->search_logged_models(search).models) names.push_back(model.name);
    return names;
  }
  static Search in_default() {
    Search search;
    search.experiment_ids = {"0"};
    search.order = {{Field::attribute, "name", true, "", ""}};
    return search;
  }
  std::vector<std::string> with(const Clause& clause, std::vector<KeyValue> datasets = {}) {
    Search search = in_default();
    search.clauses = {clause};
    search.datasets = std::move(datasets);
    return found(search);
  }
  std::vector<std::string> sorted_by(const SortKey& key) {
    Search search = in_default();
    search.order = {key};
    return found(search);
  }

  StoreFolder folder_;
  std::unique_ptr<Store> store_ = folder_.open();
};
}  // namespace

TEST_F(LoggedModelsTest, OneIsReadBackAsItWasMade) {
  const LoggedModel made = create("m-1", "first", {{"lr", "0.1"}, {"depth", ""}}, {{"t", "v"}, {"b", "w"}});
  store_ = nullptr, store_ = folder_.open();
  const LoggedModel read = store_->get_logged_model("m-1");
  EXPECT_EQ(read.model_id, "m-1");
  EXPECT_EQ(read.experiment_id, "0");
  EXPECT_EQ(read.name, "first");
  EXPECT_EQ(read.artifact_uri, "mlflow-artifacts:/0/models/m-1/artifacts");
  EXPECT_EQ(read.model_type, "agent");
  EXPECT_EQ(read.source_run_id, "run-of-m-1");
  EXPECT_EQ(read.status, LoggedModelStatus::pending);
  EXPECT_EQ(read.created_ms, made.created_ms);
  EXPECT_EQ(read.updated_ms, made.created_ms);
  EXPECT_THAT(read.params, ElementsAre(KeyValue{"depth", ""}, KeyValue{"lr", "0.1"}));
  EXPECT_THAT(read.tags, ElementsAre(KeyValue{"b", "w"}, KeyValue{"t", "v"}));
  EXPECT_THAT(read.metrics, IsEmpty());
}

TEST_F(LoggedModelsTest, NamesThatMlflowRefusesAreRefusedInItsWords) {
  for (const std::string name : {"", "a/b", "a:b", "a.b", "a%b", "a\"b", "a'b"}) {
    const Error error = error_of([&] { create("m-1", name); });
    EXPECT_EQ(error.code(), ExitCode::bad_input) << name;
    EXPECT_THAT(error.what(), HasSubstr("Model name must be a non-empty string and cannot contain"));
  }
  EXPECT_THAT(error_of([&] { create("m-1", std::string(501, 'a')); }).what(), HasSubstr("500"));
  EXPECT_EQ(create("m-1", std::string(500, 'a')).name.size(), 500U);
}

TEST_F(LoggedModelsTest, NeedAnExperimentThatIsActive) {
  EXPECT_EQ(error_of([&] { create("m-1", "a", {}, {}, "77"); }).code(), ExitCode::not_found);
  const std::string id = store_->create_experiment("old", "", {}).experiment_id;
  store_->set_experiment_lifecycle(id, Lifecycle::archived);
  const Error error = error_of([&] { create("m-1", "a", {}, {}, id); });
  EXPECT_EQ(error.code(), ExitCode::bad_input);
  EXPECT_THAT(error.what(), HasSubstr("must be in the 'active' state"));
}

TEST_F(LoggedModelsTest, ThatAreRefusedLeaveNothing) {
  EXPECT_EQ(error_of([&] { create("m-1", "a", {{"lr", "1"}, {"lr", "2"}}); }).code(), ExitCode::bad_input);
  EXPECT_EQ(error_of([&] { store_->get_logged_model("m-1"); }).code(), ExitCode::not_found);
  create("m-1", "a");
  EXPECT_THROW(create("m-1", "b"), AlreadyExists);
  EXPECT_EQ(store_->get_logged_model("m-1").name, "a");
}

TEST_F(LoggedModelsTest, MayTakeAnyStatusAtAnyTime) {
  create("m-1", "a");
  for (const auto status : {LoggedModelStatus::ready, LoggedModelStatus::failed, LoggedModelStatus::pending}) {
    EXPECT_EQ(store_->finish_logged_model("m-1", status).status, status);
    EXPECT_EQ(store_->get_logged_model("m-1").status, status);
  }
  EXPECT_THAT(error_of([&] { store_->finish_logged_model("m-2", LoggedModelStatus::ready); }).what(),
              HasSubstr("Logged model with ID 'm-2' not found."));
}

TEST_F(LoggedModelsTest, DeletedOnesAreNeitherReadNorFound) {
  create("m-1", "a");
  create("m-2", "b");
  store_->delete_logged_model("m-1");
  EXPECT_EQ(error_of([&] { store_->get_logged_model("m-1"); }).code(), ExitCode::not_found);
  EXPECT_THAT(found(in_default()), ElementsAre("b"));
  store_->delete_logged_model("m-1");  // MLflow takes it twice
  store_->set_logged_model_tags("m-1", {{"late", "1"}});
  EXPECT_EQ(error_of([&] { store_->delete_logged_model("m-3"); }).code(), ExitCode::not_found);
}

TEST_F(LoggedModelsTest, TheLastValueOfATagStays) {
  create("m-1", "a", {}, {{"t", "1"}});
  store_->set_logged_model_tags("m-1", {{"x", "1"}, {"x", "2"}, {"t", "new"}});
  EXPECT_THAT(store_->get_logged_model("m-1").tags, ElementsAre(KeyValue{"t", "new"}, KeyValue{"x", "2"}));
  store_->delete_logged_model_tag("m-1", "x");
  EXPECT_THAT(store_->get_logged_model("m-1").tags, ElementsAre(KeyValue{"t", "new"}));
  EXPECT_STREQ(error_of([&] { store_->delete_logged_model_tag("m-1", "x"); }).what(),
               "No tag with key 'x' found for model with ID 'm-1'.");
  EXPECT_EQ(error_of([&] { store_->set_logged_model_tags("m-9", {}); }).code(), ExitCode::not_found);
}

TEST_F(LoggedModelsTest, ParametersCantChangeButMayBeRepeated) {
  create("m-1", "a", {{"lr", "1"}});
  store_->log_logged_model_params("m-1", {{"lr", "1"}, {"depth", "3"}});
  EXPECT_EQ(error_of([&] {
              store_->log_logged_model_params("m-1", {{"new", "1"}, {"lr", "2"}});
            }).code(),
            ExitCode::bad_input);
  EXPECT_THAT(store_->get_logged_model("m-1").params, ElementsAre(KeyValue{"depth", "3"}, KeyValue{"lr", "1"}));
  EXPECT_EQ(error_of([&] {
              store_->log_logged_model_params("m-1", {{std::string(256, 'k'), "1"}});
            }).code(),
            ExitCode::bad_input);
}

TEST_F(LoggedModelsTest, EveryValueOfAMetricIsKeptOnce) {
  create("m-1", "a");
  log("m-1", "loss", 2, 10, 1);
  log("m-1", "loss", 1, 20, 2, "d", "x");
  log("m-1", "loss", 1, 20, 2, "d", "x");
  log("m-1", "acc", std::numeric_limits<double>::quiet_NaN(), 1, 0);
  log("m-1", "acc", std::numeric_limits<double>::quiet_NaN(), 1, 0);
  const auto metrics = store_->get_logged_model("m-1").metrics;
  ASSERT_EQ(metrics.size(), 3U);
  EXPECT_EQ(metrics[0].metric, (Metric{"loss", 2, 10, 1}));
  EXPECT_EQ(metrics[0].run_id, "r1");
  EXPECT_EQ(metrics[0].dataset_name, "");
  EXPECT_EQ(metrics[1].metric, (Metric{"loss", 1, 20, 2}));
  EXPECT_EQ(metrics[1].dataset_name, "d");
  EXPECT_EQ(metrics[1].dataset_digest, "x");
  EXPECT_TRUE(std::isnan(metrics[2].metric.value));
  EXPECT_EQ(error_of([&] { log("m-1", "a//b", 1, 1, 1); }).code(), ExitCode::bad_input);
  EXPECT_EQ(error_of([&] { log("m-9", "loss", 1, 1, 1); }).code(), ExitCode::not_found);
}

TEST_F(LoggedModelsTest, AreFoundByAttributesParametersAndTags) {
  create("m-1", "alpha", {{"lr", "0.1"}}, {{"team", "red"}});
  create("m-2", "beta", {{"lr", "0.2"}});
  create("m-3", "Alps");
  store_->finish_logged_model("m-2", LoggedModelStatus::ready);
  EXPECT_THAT(with({Field::attribute, "name", Comparison::equal, "beta"}), ElementsAre("beta"));
  EXPECT_THAT(with({Field::attribute, "name", Comparison::like, "al%"}), ElementsAre("alpha"));
  EXPECT_THAT(with({Field::attribute, "name", Comparison::ilike, "al%"}), ElementsAre("Alps", "alpha"));
  EXPECT_THAT(with({Field::attribute, "status", Comparison::equal, "READY"}), ElementsAre("beta"));
  EXPECT_THAT(with({Field::attribute, "source_run_id", Comparison::in, std::vector<std::string>{"run-of-m-3", "x"}}),
              ElementsAre("Alps"));
  EXPECT_THAT(with({Field::attribute, "creation_timestamp", Comparison::greater, 0.0}).size(), 3U);
  EXPECT_THAT(with({Field::param, "lr", Comparison::equal, "0.1"}), ElementsAre("alpha"));
  EXPECT_THAT(with({Field::param, "lr", Comparison::not_equal, "0.1"}), ElementsAre("beta"));
  EXPECT_THAT(with({Field::tag, "team", Comparison::equal, "red"}), ElementsAre("alpha"));
  EXPECT_EQ(error_of([&] { with({Field::attribute, "boo", Comparison::equal, "x"}); }).code(), ExitCode::bad_input);
}

TEST_F(LoggedModelsTest, AreFoundByAnyValueOfAMetricOnTheDatasets) {
  create("m-1", "a");
  create("m-2", "b");
  create("m-3", "c");
  log("m-1", "loss", 5, 1, 1);
  log("m-1", "loss", 1, 2, 2, "d", "x");
  log("m-2", "loss", 5, 1, 1, "d", "y");
  const Clause high{Field::metric, "loss", Comparison::greater, 4.5};
  const Clause low{Field::metric, "loss", Comparison::less, 1.5};
  EXPECT_THAT(with(high), ElementsAre("a", "b"));
  EXPECT_THAT(with(low), ElementsAre("a"));
  EXPECT_THAT(with(high, {{"d", ""}}), ElementsAre("b"));
  EXPECT_THAT(with(low, {{"d", "y"}}), IsEmpty());
  EXPECT_THAT(with(low, {{"d", "y"}, {"d", "x"}}), ElementsAre("a"));
  Search search = in_default();
  search.datasets = {{"d", ""}};
  EXPECT_THAT(found(search), ElementsAre("a", "b"));
  search.datasets = {{"d", "y"}};
  EXPECT_THAT(found(search), ElementsAre("b"));
}

TEST_F(LoggedModelsTest, AreSortedByTheMetricThatWasLoggedLastAndThoseWithoutComeLast) {
  for (const char* id : {"m-1", "m-2", "m-3", "m-4"}) create(id, id);
  log("m-1", "loss", 9, 5, 1);
  log("m-1", "loss", 3, 10, 0);  // later in time, though of an earlier step
  log("m-2", "loss", 1, 1, 1);
  log("m-2", "loss", 7, 1, 1, "d", "x");
  log("m-3", "loss", std::numeric_limits<double>::quiet_NaN(), 1, 1);
  const auto names = [this](bool ascending, const std::string& dataset) {
    return sorted_by({Field::metric, "loss", ascending, dataset, ""});
  };
  const auto first = [&](bool ascending, const std::string& dataset) { return names(ascending, dataset).front(); };
  EXPECT_EQ(first(false, "d"), "m-2");
  EXPECT_EQ(first(true, "d"), "m-2");
  EXPECT_EQ(sorted_by({Field::metric, "loss", true, "", ""}).size(), 4U);
  const auto ascending = names(true, "");
  const auto descending = names(false, "");
  EXPECT_THAT(std::vector(ascending.begin(), ascending.begin() + 2), ::testing::UnorderedElementsAre("m-1", "m-2"));
  EXPECT_THAT(std::vector(descending.begin() + 2, descending.end()), ::testing::UnorderedElementsAre("m-3", "m-4"));
}

TEST_F(LoggedModelsTest, ComeNewestFirstAndThenById) {
  create("m-b", "older");
  const auto until = store_->get_logged_model("m-b").created_ms;
  ASSERT_TRUE(lockstep::testing::wait_until([until] { return now_ms() > until; }));
  create("m-z", "newer");
  Search search = in_default();
  search.order = {};
  EXPECT_THAT(found(search), ElementsAre("newer", "older"));
}

TEST_F(LoggedModelsTest, PagesGiveEveryModelOnceThoughOthersAreMadeMeanwhile) {
  std::vector<std::string> want;
  for (int i = 0; i < 17; ++i) {
    const std::string id = fmt::format("m-{:02}", i);
    create(id, id);
    if (i % 3 == 0) log(id, "loss", i % 2 == 0 ? 1.0 : i, 1, 1);
    want.push_back(id);
  }
  for (const auto& order :
       {std::vector<SortKey>{}, std::vector<SortKey>{{Field::metric, "loss", false, "", ""}},
        std::vector<SortKey>{{Field::metric, "loss", true, "", ""}, {Field::attribute, "name", false, "", ""}}}) {
    Search search;
    search.experiment_ids = {"0"};
    search.order = order;
    search.max_results = 4;
    std::vector<std::string> got;
    do {
      const LoggedModelPage page = store_->search_logged_models(search);
      for (const auto& model : page.models) got.push_back(model.model_id);
      search.page_token = page.next_page_token;
      if (got.size() == 4 && order.empty()) create("m-new", "m-new");
    } while (!search.page_token.empty());
    std::erase(got, "m-new");
    std::sort(got.begin(), got.end());
    EXPECT_EQ(got, want) << order.size();
  }
}

TEST_F(LoggedModelsTest, OfNoExperimentAreNoneAndATokenOfAnotherSearchIsRefused) {
  for (const char* id : {"m-1", "m-2"}) create(id, id);
  Search search = in_default();
  search.max_results = 1;
  search.page_token = store_->search_logged_models(search).next_page_token;
  EXPECT_THAT(found(search), ElementsAre("m-2"));
  search.clauses = {{Field::attribute, "name", Comparison::equal, "m-1"}};
  EXPECT_EQ(error_of([&] { found(search); }).code(), ExitCode::bad_input);
  EXPECT_THAT(found(Search{}), IsEmpty());
  search = in_default();
  search.max_results = 0;
  EXPECT_EQ(error_of([&] { found(search); }).code(), ExitCode::bad_input);
}

}  // namespace lockstep::history
