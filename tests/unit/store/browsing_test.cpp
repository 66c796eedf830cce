#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "history/store/m4.hpp"
#include "tests/support/repeatable.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::IsEmpty;

std::vector<Metric> sample(const std::vector<Metric>& all, int parts) {
  M4 m4(static_cast<std::int64_t>(all.size()), parts);
  for (const Metric& each : all) m4.add(each);
  return m4.take();
}

// The same, written down as the paper says it: each part by itself.
std::vector<Metric> by_hand(const std::vector<Metric>& all, std::int64_t parts) {
  const auto total = static_cast<std::int64_t>(all.size());
  std::vector<Metric> kept;
  for (std::int64_t part = 0; part < parts; ++part) {
    std::vector<std::size_t> places;
    for (std::int64_t i = 0; i < total; ++i) {
      if (i * parts / total == part) places.push_back(static_cast<std::size_t>(i));
    }
    if (places.empty()) continue;
    const auto value_less = [&](std::size_t a, std::size_t b) { return all[a].value < all[b].value; };
    std::vector<std::size_t> chosen{places.front(), *std::min_element(places.begin(), places.end(), value_less),
                                    *std::max_element(places.begin(), places.end(), value_less), places.back()};
    // max_element gives the first of equals, as M4 here does.
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    for (const std::size_t each : chosen) kept.push_back(all[each]);
  }
  return kept;
}

TEST(M4Sample, IsWhatThePaperSays) {
  auto random = testing::repeatable(4);
  for (const int count : {0, 1, 2, 3, 7, 100, 1001}) {
    std::vector<Metric> all;
    for (int i = 0; i < count; ++i) {
      all.push_back({"", static_cast<double>(random() % 50), static_cast<std::int64_t>(i), i});
    }
    for (const int parts : {1, 2, 9, 250}) EXPECT_EQ(sample(all, parts), by_hand(all, parts)) << count << " " << parts;
  }
}

TEST(M4Sample, KeepsInfinitiesAndIsNotLedAstrayByNan) {
  const double nan = std::nan("");
  const std::vector<Metric> all = {{"", nan, 0, 0},       {"", 1, 0, 1}, {"", nan, 0, 2},
                                   {"", -HUGE_VAL, 0, 3}, {"", 9, 0, 4}, {"", nan, 0, 5}};
  std::vector<std::int64_t> steps;
  for (const Metric& each : sample(all, 1)) steps.push_back(each.step);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{0, 3, 4, 5}));
}

class StoreBrowsing : public ::testing::Test {
 protected:
  void SetUp() override { store_->create_run(new_run("a")); }
  void log(const std::vector<Metric>& metrics) { store_->log_batch("a", metrics, {}, {}); }

  StoreFolder folder_;
  const std::unique_ptr<Store> store_ = folder_.open();
};

TEST_F(StoreBrowsing, GivesTheSameCurveInWhateverOrderItWasLogged) {
  std::vector<Metric> all;
  for (int i = 0; i < 900; ++i) all.push_back({"m", std::sin(i * 0.1), 1000 + i, i / 2});
  log(all);
  for (Metric& each : all) each.key = "shuffled";
  std::shuffle(all.begin(), all.end(), testing::repeatable(1));
  log(all);
  for (const int most : {4, 100, 899, 900, 5000}) {
    for (const CurveAxis axis : {CurveAxis::step, CurveAxis::time}) {
      for (const auto& [from, to] : {std::pair<std::int64_t, std::int64_t>{0, 5000}, {100, 1250}, {7, 7}}) {
        const CurveQuery query{axis, from, to, most};
        const Curve want = store_->curve("a", "m", query);
        const Curve got = store_->curve("a", "shuffled", query);
        EXPECT_EQ(got.points, want.points) << most << " " << from;
        EXPECT_EQ(got.total, want.total);
        EXPECT_LE(want.points.size(), static_cast<std::size_t>(std::max(4, most)));
        EXPECT_TRUE(want.total > most || static_cast<std::int64_t>(want.points.size()) == want.total);
      }
    }
  }
  EXPECT_EQ(store_->curve("a", "m", {}).total, 900);
  EXPECT_THAT(store_->curve("a", "none", {}).points, IsEmpty());
}

TEST_F(StoreBrowsing, MarksEveryNewMetricAndNothingElse) {
  std::string mark = store_->metrics_mark("a");
  const auto changed = [&] { return mark != std::exchange(mark, store_->metrics_mark("a")); };
  EXPECT_FALSE(changed());
  log({{"m", 1, 10, 1}});
  EXPECT_TRUE(changed());
  log({{"m", 1, 11, 1}});
  EXPECT_TRUE(changed());
  log({{"n", std::nan(""), 10, 1}});
  EXPECT_TRUE(changed());
  log({{"m", 1, 11, 1}});  // what repeats the latest is not kept
  EXPECT_FALSE(changed());
  store_->create_run(new_run("b"));
  store_->log_batch("b", std::vector<Metric>{{"m", 5, 5, 5}}, {}, {});
  EXPECT_FALSE(changed());
}

TEST_F(StoreBrowsing, CountsWhatGoesOn) {
  store_->create_run(new_run("b"));
  store_->set_lifecycle("b", Lifecycle::archived);
  const std::int64_t epoch = store_->take_ownership("a");
  store_->create_run(new_run("c"));
  store_->transition("a", epoch, RunState::failed);
  const auto activity = store_->activity();
  ASSERT_EQ(activity.size(), 1U);
  EXPECT_EQ(activity[0].experiment_id, "0");
  EXPECT_EQ(activity[0].runs, 2);
  EXPECT_EQ(activity[0].unfinished, 1);
  EXPECT_GT(activity[0].last_start_ms, 0);
}

}  // namespace
}  // namespace lockstep::history
