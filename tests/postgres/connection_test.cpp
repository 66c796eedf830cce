#include <gmock/gmock.h>

#include <cmath>

#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PostgresStore : public ::testing::Test {
 protected:
  void SetUp() override { store_->create_run(new_run("a")); }

  // As an administrator who restarts the server, or a network that breaks, ends them.
  void end_all_connections() {
    folder_.database()->execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()");
  }
  void log(double value, std::int64_t step) {
    const Metric metric{"m", value, step, step};
    store_->log_batch("a", {&metric, 1}, {}, {});
  }
  std::vector<double> values() {
    std::vector<double> all;
    for (const Metric& each : folder_.open()->metric_history("a", "m")) all.push_back(each.value);
    return all;
  }

  StoreFolder folder_;
  const std::unique_ptr<Store> store_ = folder_.open();
};

TEST_F(PostgresStore, ComesBackAfterItsConnectionWasLost) {
  log(1, 1);
  end_all_connections();
  EXPECT_EQ(store_->get_run("a").run_id, "a");
  end_all_connections();
  log(2, 2);
  EXPECT_THAT(values(), ElementsAre(1, 2));
}

TEST_F(PostgresStore, WritesNothingOfACommitWhoseConnectionWasLost) {
  const auto work = [&] {
    log(1, 1);
    end_all_connections();
    log(2, 2);
  };
  EXPECT_THROW(store_->in_one_commit(Survives::process_death, work), Error);
  EXPECT_THAT(values(), ElementsAre());
  log(3, 3);
  EXPECT_THAT(values(), ElementsAre(3));
}

TEST_F(PostgresStore, KeepsWhatWasLoggedBeforeAPartThatReadItAndFailed) {
  store_->in_one_commit(Survives::process_death, [&] {
    log(1, 1);
    EXPECT_THROW(store_->in_one_commit(Survives::process_death,
                                       [&] {
                                         log(2, 2);
                                         EXPECT_EQ(store_->metric_history("a", "m").size(), 2U);
                                         throw bad_input("on purpose");
                                       }),
                 Error);
    log(3, 3);
  });
  EXPECT_THAT(values(), ElementsAre(1, 3));
}

TEST_F(PostgresStore, RefusesAZeroByteAndGoesOnWithTheCommit) {
  const KeyValue zero{"k", std::string("a\0b", 3)};
  store_->in_one_commit(Survives::process_death, [&] {
    log(1, 1);
    const Error error = error_of([&] { store_->log_batch("a", {}, {}, {&zero, 1}); });
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    EXPECT_THAT(error.what(), HasSubstr("zero byte"));
    log(2, 2);
  });
  EXPECT_THAT(values(), ElementsAre(1, 2));
}

TEST_F(PostgresStore, FindsAValueThatIsLongerThanARowOfAnIndex) {
  const KeyValue good{"p", std::string(5999, 'x') + "a"};
  const KeyValue other{"p", std::string(5999, 'x') + "b"};
  store_->create_run(new_run("b"));
  store_->log_batch("a", {}, {&good, 1}, {});
  store_->log_batch("b", {}, {&other, 1}, {});
  Search search;
  search.experiment_ids = {"0"};
  search.clauses = {{Field::param, "p", Comparison::equal, good.value}};
  const FullRunPage page = store_->search_runs(search);
  ASSERT_EQ(page.runs.size(), 1U);
  EXPECT_EQ(page.runs[0].run.run_id, "a");
}

// By the number of the command within its transaction, which each row remembers.
TEST_F(PostgresStore, WritesAThousandMetricsWithOneStatementForTheirRowsAndOneForTheirSeries) {
  std::vector<Metric> metrics;
  for (int i = 0; i < 1000; ++i) metrics.push_back({fmt::format("k{}", i % 100), 1.0 * i, i, i});
  store_->log_batch("a", metrics, {}, {});
  const auto database = folder_.database();
  EXPECT_EQ(database->number("SELECT count(*) FROM metrics"), 1000);
  EXPECT_EQ(database->number("SELECT count(DISTINCT CAST(cmin AS TEXT)) FROM metrics"), 1);
  EXPECT_EQ(database->number("SELECT count(DISTINCT CAST(cmin AS TEXT)) FROM series"), 1);
}

TEST_F(PostgresStore, KeepsInfinitiesAndNaN) {
  log(-INFINITY, 1);
  log(INFINITY, 2);
  log(std::nan(""), 3);
  const auto all = values();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0], -INFINITY);
  EXPECT_EQ(all[1], INFINITY);
  EXPECT_TRUE(std::isnan(all[2]));
  EXPECT_EQ(folder_.database()->number("SELECT count(*) FROM metrics WHERE value IS NULL"), 1);
}

}  // namespace
}  // namespace lockstep::history
