// Curves that are made of blocks are the curves of all values.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "history/store/database.hpp"
#include "history/store/m4.hpp"
#include "tests/support/repeatable.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

// NaN is equal to NaN here.
bool same(const std::vector<Metric>& a, const std::vector<Metric>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Metric& x, const Metric& y) {
    const bool same_value = x.value == y.value || (std::isnan(x.value) && std::isnan(y.value));
    return same_value && x.step == y.step && x.timestamp_ms == y.timestamp_ms;
  });
}

class CurveBlocks : public ::testing::Test {
 protected:
  void SetUp() override { store_->create_run(new_run("a")); }

  // Values of which some are not finite or equal, steps that repeat, a clock that was set back now and then.
  void log(int count, bool backwards = false) {
    std::vector<Metric> metrics;
    for (int i = 0; i < count; ++i) {
      if (random_() % 3 == 0) step_ += static_cast<std::int64_t>(random_() % 5), clock_ms_ += 10;
      if (random_() % 500 == 0 && step_ != last_step_) clock_ms_ -= static_cast<std::int64_t>(random_() % 2000);
      last_step_ = step_;
      metrics.push_back({"m", value(), clock_ms_, step_});
      metrics.push_back({"between", 0, clock_ms_, i});
    }
    if (backwards) metrics.push_back({"m", 7, 1, -1});
    store_->log_batch("a", metrics, {}, {});
  }
  double value() {
    switch (random_() % 40) {
      case 0:
        return std::nan("");
      case 1:
        return random_() % 50 == 0 ? HUGE_VAL : 3;
      case 2:
        return random_() % 50 == 0 ? -HUGE_VAL : -3;
      default:
        return static_cast<double>(random_() % 1000) / 7;
    }
  }

  // M4 over every value between the ends.
  Curve by_hand(const CurveQuery& query) {
    std::vector<Metric> between;
    for (const Metric& each : store_->metric_history("a", "m")) {
      const std::int64_t at = query.axis == CurveAxis::step ? each.step : each.timestamp_ms;
      if (at >= query.from && at <= query.to) between.push_back(each);
    }
    Curve curve;
    curve.total = static_cast<std::int64_t>(between.size());
    if (curve.total <= query.max_points) {
      curve.points = between;
      return curve;
    }
    M4 sample(curve.total, query.max_points / 4);
    for (const Metric& each : between) sample.add(each);
    curve.points = sample.take();
    return curve;
  }

  void check_some_curves(int count) {
    check({});
    for (int i = 0; i < count; ++i) {
      const auto pick = [&](std::int64_t least, std::int64_t most) {
        return least + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(most - least + 1));
      };
      CurveQuery query;
      query.axis = i % 2 == 0 ? CurveAxis::step : CurveAxis::time;
      const std::int64_t last = query.axis == CurveAxis::step ? step_ : clock_ms_;
      query.from = pick(-10, last);
      query.to = i % 3 == 0 ? last : pick(query.from, last);
      query.max_points = static_cast<int>(i % 5 == 0 ? pick(4, 25'000) : pick(4, 2000));
      check(query);
    }
  }
  void check(const CurveQuery& query) {
    const Curve want = by_hand(query);
    const Curve got = store_->curve("a", "m", query);
    EXPECT_EQ(got.total, want.total) << query.from << " to " << query.to;
    EXPECT_TRUE(same(got.points, want.points)) << query.from << " to " << query.to << ", " << query.max_points;
  }

  // A value that repeats the latest is not kept.
  std::int64_t points() { return static_cast<std::int64_t>(store_->metric_history("a", "m").size()); }
  std::int64_t blocks() { return folder_.database()->number("SELECT count(*) FROM curve_blocks"); }

  StoreFolder folder_;
  const std::unique_ptr<Store> store_ = folder_.open();
  std::mt19937_64 random_ = testing::repeatable(17);
  std::int64_t step_ = 0;
  std::int64_t last_step_ = -1;
  std::int64_t clock_ms_ = 100'000;
};

TEST_F(CurveBlocks, GiveTheCurveOfAllValuesWhileASeriesGrows) {
  log(16'000);
  check_some_curves(3);
  EXPECT_EQ(blocks(), 0) << "so few values are read as quickly";
  log(1000);
  check_some_curves(30);
  EXPECT_EQ(blocks(), points() / 64);
  for (const int more : {1, 63, 500, 2000, 9000}) {
    log(more);
    check_some_curves(10);
  }
  EXPECT_GT(blocks(), 28'000 / 64);
}

TEST_F(CurveBlocks, AreLaidByALookAndByNothingElse) {
  log(20'000);
  EXPECT_EQ(blocks(), 0);
  store_->in_one_commit(Survives::process_death, [&] { EXPECT_EQ(store_->curve("a", "m", {}).total, points()); });
  EXPECT_EQ(blocks(), 0);
  EXPECT_EQ(store_->curve("a", "m", {}).total, points());
  EXPECT_EQ(blocks(), points() / 64);
  EXPECT_EQ(folder_.open()->curve("a", "m", {}).total, points());
  EXPECT_EQ(blocks(), points() / 64);
}

TEST_F(CurveBlocks, AreNotLookedAtWhenAValueCameLate) {
  log(20'000);
  check({});
  log(100, true);
  check_some_curves(10);
}

TEST_F(CurveBlocks, HoldValuesThatAreAllNan) {
  std::vector<Metric> metrics;
  for (int i = 0; i < 17'000; ++i) metrics.push_back({"m", std::nan(""), i, i});
  metrics[8000].value = -HUGE_VAL;
  store_->log_batch("a", metrics, {}, {});
  step_ = clock_ms_ = 17'000;
  check_some_curves(6);
}

}  // namespace
}  // namespace lockstep::history
