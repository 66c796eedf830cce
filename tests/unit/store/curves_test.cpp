#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "history/store/sqlite_database.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Curves : public ::testing::Test {
 protected:
  void SetUp() override { store_->create_run(new_run("a")); }
  void log(const std::vector<Metric>& metrics) { store_->log_batch("a", metrics, {}, {}); }
  // Points 0 to count - 1; every tenth step has two of them.
  std::vector<Metric> points(const std::string& key, int count) {
    std::vector<Metric> all;
    for (int i = 0; i < count; ++i) all.push_back({key, static_cast<double>(i), 1000 + i, i - i / 10});
    return all;
  }
  std::vector<double> values_of(const std::vector<Metric>& metrics) {
    std::vector<double> values;
    for (const Metric& metric : metrics) values.push_back(metric.value);
    return values;
  }
  std::vector<Metric> in_pages(const std::string& key, int size) {
    std::vector<Metric> all;
    MetricPage page;
    do {
      page = store_->metric_history_page("a", key, size, page.next_page_token);
      EXPECT_LE(page.metrics.size(), static_cast<std::size_t>(size));
      all.insert(all.end(), page.metrics.begin(), page.metrics.end());
    } while (!page.next_page_token.empty());
    return all;
  }

  StoreFolder folder_;
  const std::unique_ptr<Store> store_ = folder_.open();
};

TEST_F(Curves, AreTheSameInPagesOfAnySizeAndInAnyOrderOfLogging) {
  const auto want = points("m", 100);
  for (const bool shuffled : {false, true}) {
    const std::string key = shuffled ? "shuffled" : "m";
    auto metrics = points(key, 100);
    if (shuffled) std::shuffle(metrics.begin(), metrics.end(), std::mt19937(1));
    for (const Metric& metric : metrics) log({metric, {"between", 0, 1, 1}});
    for (const int size : {1, 7, 50, 99, 100, 101}) {
      EXPECT_EQ(values_of(in_pages(key, size)), values_of(want)) << key << " " << size;
    }
    EXPECT_EQ(in_pages(key, 3), store_->metric_history("a", key));
  }
}

TEST_F(Curves, KeepEqualPointsInTheOrderOfLoggingAcrossPages) {
  log({{"m", 3, 1, 1}, {"m", 1, 1, 1}, {"m", 2, 1, 1}, {"m", 2, 1, 1}});
  EXPECT_EQ(values_of(in_pages("m", 1)), (std::vector<double>{3, 1, 2, 2}));
  log({{"m", 0, 0, 0}});
  EXPECT_EQ(values_of(in_pages("m", 1)), (std::vector<double>{0, 3, 1, 2, 2}));
}

TEST_F(Curves, GoOnFromATokenWhateverIsLoggedInTheMeantime) {
  log(points("m", 10));
  const MetricPage page = store_->metric_history_page("a", "m", 5, "");
  log({{"m", 10, 2000, 100}});
  log({{"m", -1, 2000, -5}});  // before what was given; from now on the rows are out of order
  const auto rest = store_->metric_history_page("a", "m", 100, page.next_page_token);
  EXPECT_EQ(values_of(rest.metrics), (std::vector<double>{5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(rest.next_page_token, "");
}

TEST_F(Curves, RefuseTokensAndSizesThatMeanNothing) {
  log(points("m", 3));
  for (const std::string token : {"m", "x1.2.3", "m1.2", "m1.2.", "m1.2.3x", "m1.2.3.4", "m1 .2.3", "m01.2.3", "1.2.3",
                                  "m1.2.99999999999999999999"}) {
    const Error error = error_of([&] { store_->metric_history_page("a", "m", 1, token); });
    EXPECT_EQ(error.code(), ExitCode::bad_input) << token;
  }
  for (const int size : {0, -1}) {
    EXPECT_EQ(error_of([&] { store_->metric_history_page("a", "m", size, ""); }).code(), ExitCode::bad_input);
  }
}

TEST_F(Curves, AreEmptyForAMetricThatWasNotLoggedAndNotThereForARunThatIsNot) {
  EXPECT_THAT(store_->metric_history_page("a", "m", 1, "").metrics, IsEmpty());
  EXPECT_THAT(store_->metric_interval("a", "m", {}, {}, 1), IsEmpty());
  EXPECT_EQ(error_of([&] { store_->metric_history_page("x", "m", 1, ""); }).code(), ExitCode::not_found);
  EXPECT_EQ(error_of([&] { store_->metric_interval("x", "m", {}, {}, 1); }).code(), ExitCode::not_found);
}

TEST_F(Curves, KeepNaNAndTheExtremesOfSteps) {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  log({{"m", 1, 0, least}, {"m", std::nan(""), 1, 0}, {"m", 3, most, most}});
  const auto pages = in_pages("m", 1);
  ASSERT_EQ(pages.size(), 3U);
  EXPECT_EQ(pages[0], (Metric{"m", 1, 0, least}));
  EXPECT_TRUE(std::isnan(pages[1].value));
  EXPECT_EQ(pages[2], (Metric{"m", 3, most, most}));
  EXPECT_EQ(store_->metric_interval("a", "m", least, most, 10).size(), 3U);
  EXPECT_THAT(store_->metric_interval("a", "m", most, most, 10), ElementsAre(pages[2]));
}

// SQL's own ntile over the rows of the interval, as MLflow asks it: the first row of each part; and the last row.
std::vector<Metric> by_ntile(Database& database, const std::string& key, std::int64_t first, std::int64_t last,
                             int most) {
  Query rows = database.query(
      "WITH chosen AS (SELECT m.*, m.rowid AS row, "
      "  ntile(CAST(?1 AS INTEGER)) OVER (ORDER BY m.step, m.timestamp_ms, m.rowid) AS part, "
      "  row_number() OVER (ORDER BY m.step DESC, m.timestamp_ms DESC, m.rowid DESC) AS from_end "
      "  FROM metrics m JOIN series s USING (series) WHERE s.key = ?2 AND m.step BETWEEN ?3 AND ?4) "
      "SELECT value, timestamp_ms, step, from_end FROM chosen c "
      "WHERE from_end = 1 OR NOT EXISTS (SELECT 1 FROM chosen d WHERE d.part = c.part AND d.from_end > c.from_end) "
      "ORDER BY from_end DESC");
  rows.bind(most, key, first, last);
  std::vector<Metric> all;
  while (rows.step()) {
    if (all.size() == static_cast<std::size_t>(most)) all.pop_back();  // the last row takes the last place
    all.push_back({key, rows.real(0), rows.integer(1), rows.integer(2)});
  }
  return all;
}

TEST_F(Curves, AreSampledAsSqlsNtileDoes) {
  for (const bool shuffled : {false, true}) {
    const std::string key = shuffled ? "shuffled" : "m";
    auto metrics = points(key, 103);
    if (shuffled) std::shuffle(metrics.begin(), metrics.end(), std::mt19937(2));
    for (const Metric& metric : metrics) log({metric, {"between", 0, 1, 1}});
    for (const auto& [first, last] : std::vector<std::pair<std::int64_t, std::int64_t>>{
             {-5, 500}, {0, 92}, {9, 9}, {8, 40}, {40, 8}, {92, 92}, {93, 99}, {-9, 0}}) {
      for (const int most : {1, 2, 3, 10, 51, 52, 102, 103, 104, 2500}) {
        EXPECT_EQ(store_->metric_interval("a", key, first, last, most),
                  by_ntile(*folder_.database(), key, first, last, most))
            << key << " " << first << " to " << last << ", " << most;
      }
    }
    EXPECT_EQ(store_->metric_interval("a", key, {}, {}, 10), store_->metric_interval("a", key, -5, 500, 10));
    EXPECT_EQ(store_->metric_interval("a", key, 20, {}, 10), store_->metric_interval("a", key, 20, 500, 10));
    EXPECT_EQ(store_->metric_interval("a", key, {}, 20, 10), store_->metric_interval("a", key, -5, 20, 10));
  }
}

TEST_F(Curves, AreSampledWithTheirEndsAndAsEvenlyAsCanBe) {
  log(points("m", 1000));
  EXPECT_EQ(values_of(store_->metric_interval("a", "m", {}, {}, 4)), (std::vector<double>{0, 250, 500, 999}));
  EXPECT_EQ(values_of(store_->metric_interval("a", "m", {}, {}, 1)), (std::vector<double>{999}));
  EXPECT_EQ(values_of(store_->metric_interval("a", "m", {}, {}, 0)), (std::vector<double>{999}));
  EXPECT_EQ(store_->metric_interval("a", "m", {}, {}, 1000), store_->metric_history("a", "m"));
}

}  // namespace
}  // namespace lockstep::history
