#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const double nan_value = std::nan("");

class StoreValues : public ::testing::Test {
 protected:
  void SetUp() override { store_->create_run(new_run("a")); }
  void log(const std::vector<Metric>& metrics, const std::vector<KeyValue>& params = {},
           const std::vector<KeyValue>& tags = {}) {
    store_->log_batch("a", metrics, params, tags);
  }
  std::string mistake_of(const std::vector<Metric>& metrics, const std::vector<KeyValue>& params = {},
                         const std::vector<KeyValue>& tags = {}) {
    const Error error = error_of([&] { log(metrics, params, tags); });
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    return error.what();
  }

  StoreFolder folder_;
  const std::unique_ptr<Store> store_ = folder_.open();
};

TEST_F(StoreValues, KeepEveryValueOfAMetricInTheOrderOfSteps) {
  log({{"loss", 3, 30, 2}, {"loss", 1, 10, 1}, {"acc", 0.5, 10, 1}});
  log({{"loss", 2, 20, 2}, {"loss", 1, 10, 1}});
  EXPECT_THAT(store_->metric_history("a", "loss"), ElementsAre(Metric{"loss", 1, 10, 1}, Metric{"loss", 1, 10, 1},
                                                               Metric{"loss", 2, 20, 2}, Metric{"loss", 3, 30, 2}));
  EXPECT_TRUE(store_->metric_history("a", "none").empty());
}

TEST_F(StoreValues, KeepOnceWhatRepeatsTheLatest) {
  const std::vector<Metric> twice = {{"x", 1, 5, 0}, {"x", 1, 5, 0}, {"y", nan_value, 5, 0}, {"y", nan_value, 5, 0}};
  log(twice);
  log(twice);
  log({{"x", 2, 5, 0}, {"x", 1, 6, 0}});
  EXPECT_EQ(store_->metric_history("a", "x").size(), 3U);
  EXPECT_EQ(store_->metric_history("a", "y").size(), 1U);
}

TEST_F(StoreValues, TakeAsLatestTheGreatestStepThenTimeThenValue) {
  log({{"m", 5, 100, 7}});
  log({{"m", 9, 999, 6}});
  EXPECT_THAT(store_->latest_metrics("a"), ElementsAre(Metric{"m", 5, 100, 7}));
  log({{"m", 9, 99, 7}});
  EXPECT_THAT(store_->latest_metrics("a"), ElementsAre(Metric{"m", 5, 100, 7}));
  log({{"m", 4, 100, 7}});
  EXPECT_THAT(store_->latest_metrics("a"), ElementsAre(Metric{"m", 5, 100, 7}));
  log({{"m", 6, 100, 7}, {"m", 1, 101, 7}, {"m", 2, 101, 7}, {"m", 0, 101, 7}});
  EXPECT_THAT(store_->latest_metrics("a"), ElementsAre(Metric{"m", 2, 101, 7}));
  log({{"m", -1, 0, 8}});
  EXPECT_THAT(store_->latest_metrics("a"), ElementsAre(Metric{"m", -1, 0, 8}));
}

TEST_F(StoreValues, PutNaNBelowEveryNumberWhoeverCameFirst) {
  log({{"x", nan_value, 1, 1}, {"x", -infinity, 1, 1}, {"y", -infinity, 1, 1}, {"y", nan_value, 1, 1}});
  for (const auto& metric : store_->latest_metrics("a")) EXPECT_EQ(metric.value, -infinity) << metric.key;
  log({{"x", nan_value, 1, 2}});
  EXPECT_TRUE(std::isnan(store_->latest_metrics("a")[0].value));
}

TEST_F(StoreValues, KeepEveryNumberExactly) {
  const std::vector<double> values{
      0.1, 0.0, 5e-324, std::numeric_limits<double>::max(), infinity, -infinity, 1e15, 1.0, -2.0, 9007199254740993.0};
  for (std::size_t i = 0; i < values.size(); ++i) log({{"m", values[i], 1, static_cast<std::int64_t>(i)}});
  log({{"m", nan_value, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::max()}});
  log({{"m", 1, 0, std::numeric_limits<std::int64_t>::min()}});
  const auto history = store_->metric_history("a", "m");
  ASSERT_EQ(history.size(), values.size() + 2);
  EXPECT_EQ(history.front().step, std::numeric_limits<std::int64_t>::min());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(history[i + 1].value, values[i]);
  }
  EXPECT_TRUE(std::isnan(history.back().value));
  EXPECT_EQ(history.back().timestamp_ms, std::numeric_limits<std::int64_t>::max());
}

TEST_F(StoreValues, WriteAParameterOnce) {
  log({}, {{"lr", "0.1"}, {"empty", ""}});
  log({}, {{"lr", "0.1"}});
  EXPECT_EQ(mistake_of({}, {{"new", "x"}, {"lr", "0.2"}}),
            "parameter 'lr' has the value '0.1' already; it can't become '0.2'");
  EXPECT_THAT(store_->params("a"), ElementsAre(KeyValue{"empty", ""}, KeyValue{"lr", "0.1"}));
  EXPECT_THAT(mistake_of({}, {{"x", "1"}, {"x", "1"}}), HasSubstr("'x' is given twice"));
}

TEST_F(StoreValues, LetTheLastTagWin) {
  log({}, {}, {{"t", "1"}, {"t", "2"}});
  log({}, {}, {{"t", "3"}, {"u", ""}});
  EXPECT_THAT(store_->tags("a"), ElementsAre(KeyValue{"t", "3"}, KeyValue{"u", ""}));
}

TEST_F(StoreValues, NameEveryMistakeAndThenWriteNothing) {
  const std::string said = mistake_of({{"fine", 1, 1, 1}, {"no?", 1, 1, 1}, {"old", 1, -1, 1}},
                                      {{"ok", "1"}, {"", "1"}}, {{"../up", "1"}, {"b", "\xFF"}});
  EXPECT_EQ(said,
            "metric 'no?': names may hold letters, digits, '_', '/', '.', '-', ' ' and ':'\n"
            "metric 'old': timestamp -1 is before 1970\n"
            "a parameter without a name\n"
            "tag '../up': the name is no plain relative path\n"
            "tag 'b': the value is not valid UTF-8");
  EXPECT_TRUE(store_->latest_metrics("a").empty());
  EXPECT_TRUE(store_->params("a").empty());
}

// The limits of MLflow's validation, as literals.
TEST_F(StoreValues, AcceptKeysAsMlflowDoes) {
  for (const std::string key : {"a", "A/b/c.d", "with blank", "x:y", "_", "-", "a..b", "...", "\xC3\xA9t\xC3\xA9"}) {
    log({{key, 1, 1, 1}}, {{key, "1"}}, {{key, "1"}});
  }
  const std::string longest(250, 'k');
  log({{longest, 1, 1, 1}});
  std::string wide;
  for (int i = 0; i < 250; ++i) wide += "\xC3\xA9";  // 250 characters, 500 bytes
  log({{wide, 1, 1, 1}});
  for (const std::string& key :
       std::vector<std::string>{"", ".", "..", "/a", "a/", "a//b", "a/./b", "a/../b", "a,b", "a\nb", "a'b", "a(b)",
                                "a\"b", std::string("a\0b", 3), "\xFF", longest + "k", wide + "k"}) {
    mistake_of({{key, 1, 1, 1}});
    mistake_of({}, {{key, "1"}});
    mistake_of({}, {}, {{key, "1"}});
  }
}

TEST_F(StoreValues, CutLongValuesAtTheLimit) {
  std::string wide;
  for (int i = 0; i < 9000; ++i) wide += "\xE2\x82\xAC";  // 3 bytes a character
  log({}, {{"p", std::string(6001, 'x')}, {"wide", wide}, {"fits", std::string(6000, 'y')}},
      {{"t", std::string(8001, 'x')}});
  const auto params = store_->params("a");
  EXPECT_EQ(params[0].value, std::string(6000, 'y'));
  EXPECT_EQ(params[1].value, std::string(6000, 'x'));
  EXPECT_EQ(params[2].value, wide.substr(0, 18'000));
  EXPECT_EQ(store_->tags("a")[0].value, std::string(8000, 'x'));
  log({}, {{"p", std::string(7000, 'x')}});  // the same value, once it is cut
}

TEST_F(StoreValues, RefuseLongValuesWhenAskedTo) {
  ::setenv("MLFLOW_TRUNCATE_LONG_VALUES", "False", 1);
  EXPECT_EQ(mistake_of({}, {{"p", std::string(6001, 'x')}}, {{"t", std::string(8001, 'x')}}),
            "parameter 'p': the value exceeds the maximum length of 6000 characters\n"
            "tag 't': the value exceeds the maximum length of 8000 characters");
  log({}, {{"p", std::string(6000, 'x')}}, {{"t", std::string(8000, 'x')}});
  ::unsetenv("MLFLOW_TRUNCATE_LONG_VALUES");
}

TEST_F(StoreValues, AcceptRunIdsAndExperimentNamesAsMlflowDoes) {
  for (const std::string& id : std::vector<std::string>{"0", "Z_-9", std::string(256, 'r')})
    store_->create_run(new_run(id));
  for (const std::string& id :
       std::vector<std::string>{"", "_a", "-a", "a.b", "a/b", "a b", "\xC3\xA9", std::string(257, 'r')}) {
    EXPECT_EQ(error_of([&] { store_->create_run(new_run(id)); }).code(), ExitCode::bad_input) << id;
  }
  EXPECT_EQ(store_->get_or_create_experiment(std::string(500, 'e')).name.size(), 500U);
  for (const std::string& name : std::vector<std::string>{"", std::string(501, 'e'), "\xFF"}) {
    EXPECT_EQ(error_of([&] { store_->get_or_create_experiment(name); }).code(), ExitCode::bad_input);
  }
}

JournalBatch batch_of(std::int64_t first, std::int64_t last) {
  JournalBatch batch;
  batch.rank = 1;
  batch.first_sequence = first;
  batch.through_sequence = last;
  for (std::int64_t i = first; i <= last; ++i) batch.metrics.push_back({"m", static_cast<double>(i), i, i});
  return batch;
}

TEST_F(StoreValues, TakeEachJournalEntryExactlyOnce) {
  EXPECT_EQ(store_->journal_taken_through("a", 1), -1);
  EXPECT_TRUE(store_->take_journal("a", batch_of(0, 4)).empty());
  EXPECT_EQ(store_->journal_taken_through("a", 1), 4);
  EXPECT_EQ(store_->journal_taken_through("a", 0), -1);
  EXPECT_TRUE(folder_.open()->take_journal("a", batch_of(0, 4)).empty());
  EXPECT_TRUE(store_->take_journal("a", batch_of(2, 3)).empty());
  EXPECT_EQ(error_of([&] { store_->take_journal("a", batch_of(4, 6)); }).code(), ExitCode::failed);
  EXPECT_STREQ(error_of([&] { store_->take_journal("a", batch_of(6, 8)); }).what(),
               "run a: the journal of rank 1 is taken in up to entry 4; a batch of entries 6 to 8 does not follow");
  EXPECT_TRUE(store_->take_journal("a", batch_of(5, 5)).empty());
  const auto history = store_->metric_history("a", "m");
  ASSERT_EQ(history.size(), 6U);
  for (std::size_t i = 0; i < history.size(); ++i) EXPECT_EQ(history[i].step, static_cast<std::int64_t>(i));
}

TEST_F(StoreValues, TakeTheRestOfAJournalThatHoldsMistakes) {
  JournalBatch batch = batch_of(0, 2);
  batch.metrics.push_back({"no?", 1, 1, 1});
  batch.params = {{"lr", "0.1"}, {"lr", "0.2"}};
  batch.tags = {{"t", "x"}};
  const auto refused = store_->take_journal("a", batch);
  EXPECT_THAT(refused, ElementsAre(HasSubstr("metric 'no?'"), HasSubstr("parameter 'lr' has the value '0.1' already")));
  EXPECT_EQ(store_->metric_history("a", "m").size(), 3U);
  EXPECT_THAT(store_->params("a"), ElementsAre(KeyValue{"lr", "0.1"}));
  EXPECT_THAT(store_->tags("a"), ElementsAre(KeyValue{"t", "x"}));
  EXPECT_EQ(store_->journal_taken_through("a", 1), 2);
}

TEST_F(StoreValues, AreOfTheRunTheyWereLoggedTo) {
  store_->create_run(new_run("b"));
  log({{"m", 1, 1, 1}}, {{"p", "1"}}, {{"t", "1"}});
  EXPECT_TRUE(store_->latest_metrics("b").empty());
  EXPECT_TRUE(store_->params("b").empty());
  EXPECT_TRUE(store_->tags("b").empty());
  EXPECT_EQ(error_of([&] { store_->log_batch("c", {}, {}, {}); }).code(), ExitCode::not_found);
}

}  // namespace
}  // namespace lockstep::history
