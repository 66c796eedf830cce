#include "history/store/metric_reader.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MetricReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store_->create_run(new_run("a"));
    store_->create_run(new_run("b"));
  }
  void log(const std::string& run, const std::vector<Metric>& metrics) { store_->log_batch(run, metrics, {}, {}); }
  // What has come to run a since the last call.
  std::vector<Metric> come() {
    std::vector<Metric> all;
    row_ = reader().follow("a", row_, [&](const Metric& each) { all.push_back(each); });
    return all;
  }
  MetricReader& reader() {
    if (!reader_) reader_.emplace(folder_.where());
    return *reader_;
  }

  StoreFolder folder_;
  const std::unique_ptr<Store> store_ = folder_.open();
  std::optional<MetricReader> reader_;
  std::int64_t row_ = 0;
};

TEST_F(MetricReaderTest, GivesEachValueOnceByItsStep) {
  EXPECT_THAT(come(), IsEmpty());
  log("a", {{"m", 1, 10, 5}, {"n", 2, 10, 5}});
  log("b", {{"m", 99, 10, 5}});
  log("a", {{"m", 3, 11, 4}});
  EXPECT_THAT(come(), ElementsAre(Metric{"m", 3, 11, 4}, Metric{"m", 1, 10, 5}, Metric{"n", 2, 10, 5}));
  EXPECT_THAT(come(), IsEmpty());
  log("b", {{"m", 98, 12, 6}});
  EXPECT_THAT(come(), IsEmpty());
  log("a", {{"m", 4, 12, 1}});
  log("a", {{"m", INFINITY, 12, 7}, {"m", 5, 12, 6}});
  EXPECT_THAT(come(), ElementsAre(Metric{"m", 4, 12, 1}, Metric{"m", 5, 12, 6}, Metric{"m", INFINITY, 12, 7}));
}

TEST_F(MetricReaderTest, GivesNaN) {
  log("a", {{"m", NAN, 10, 5}});
  const auto all = come();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(std::isnan(all[0].value));
}

TEST_F(MetricReaderTest, KnowsNothingOfARunThatIsNotThere) {
  EXPECT_EQ(reader().follow("c", 7, [](const Metric&) { FAIL(); }), 7);
  EXPECT_THAT(reader().summaries("c"), IsEmpty());
}

TEST_F(MetricReaderTest, SumsUpEachMetric) {
  log("a", {{"m", 3, 10, 1}, {"m", -7, 11, 3}, {"m", 5, 12, 2}, {"m", NAN, 13, 0}, {"z", NAN, 1, 0}});
  log("b", {{"m", 100, 10, 100}});
  const auto all = reader().summaries("a");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].last, (Metric{"m", -7, 11, 3}));
  EXPECT_EQ(all[0].least, -7);
  EXPECT_EQ(all[0].greatest, 5);
  EXPECT_EQ(all[0].points, 4);
  EXPECT_EQ(all[1].last.key, "z");
  EXPECT_TRUE(std::isnan(all[1].least) && std::isnan(all[1].greatest) && std::isnan(all[1].last.value));
  EXPECT_EQ(all[1].points, 1);
}

}  // namespace
}  // namespace lockstep::history
