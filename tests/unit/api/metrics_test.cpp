#include <gmock/gmock.h>

#include "tests/unit/api/job_rig.hpp"

namespace lockstep::api {
namespace {

using ::testing::HasSubstr;

class JobMetrics : public JobRig {
 protected:
  void log(const std::vector<history::Metric>& metrics) { store().log_batch("job", metrics, {}, {}); }
};

TEST_F(JobMetrics, ComeInPagesByKeyAndByAPartOfIt) {
  for (int i = 0; i < 250; ++i) log({{fmt::format("layer-{:03}/Grad", i), i * 1.0, 10, i}});
  log({{"loss", 1, 10, 0}});
  std::vector<std::string> keys;
  std::string token;
  do {
    const auto page = v1("jobs/job/metrics", {{"max_results", "100"}, {"page_token", token}});
    EXPECT_EQ(page["total"], 251);
    for (const auto& each : page["metrics"]) keys.push_back(each["key"]);
    token = page.value("next_page_token", "");
  } while (!token.empty());
  EXPECT_EQ(keys.size(), 251);
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  const auto found = v1("jobs/job/metrics", {{"contains", "grad"}, {"max_results", "3"}});
  EXPECT_EQ(found["total"], 250);
  EXPECT_EQ(found["metrics"][2],
            (nlohmann::json{{"key", "layer-002/Grad"}, {"value", 2.0}, {"step", 2}, {"timestamp", 10}}));
}

TEST_F(JobMetrics, AreDrawnWholeOrAsASampleThatKeepsExtremes) {
  std::vector<history::Metric> all;
  for (int i = 0; i < 1000; ++i) all.push_back({"m", i == 777 ? 1e9 : i % 10 * 1.0, 100 + i, i});
  log(all);
  const auto whole = v1("jobs/job/curves", {{"key", "m"}, {"key", "none"}})["curves"];
  EXPECT_EQ(whole[0]["points"].size(), 1000);
  EXPECT_EQ(whole[0]["points"][777], (nlohmann::json{777, 877, 1e9}));
  EXPECT_EQ(whole[0]["sampled"], false);
  EXPECT_EQ(whole[1]["points"].size(), 0);
  const auto sample = v1("jobs/job/curves", {{"key", "m"}, {"max_points", "40"}})["curves"][0];
  EXPECT_EQ(sample["sampled"], true);
  EXPECT_EQ(sample["total"], 1000);
  EXPECT_LE(sample["points"].size(), 40);
  EXPECT_NE(std::find(sample["points"].begin(), sample["points"].end(), nlohmann::json{777, 877, 1e9}),
            sample["points"].end());
  const auto zoomed =
      v1("jobs/job/curves", {{"key", "m"}, {"axis", "time"}, {"from", "150"}, {"to", "152"}})["curves"][0];
  EXPECT_EQ(zoomed["points"], (nlohmann::json{{50, 150, 0.0}, {51, 151, 1.0}, {52, 152, 2.0}}));
}

TEST_F(JobMetrics, SayWhatIsWrongWithAQuestion) {
  EXPECT_THAT(mistake("jobs/job/curves"), HasSubstr("key is missing"));
  EXPECT_THAT(mistake("jobs/job/curves", {{"key", "m"}, {"axis", "epoch"}}), HasSubstr("step or time"));
  EXPECT_THAT(mistake("jobs/job/curves", {{"key", "m"}, {"from", "1.5"}}), HasSubstr("whole number"));
  EXPECT_THAT(mistake("jobs/none/curves", {{"key", "m"}}), HasSubstr("none"));
}

TEST_F(JobMetrics, NotNumbersAreNamed) {
  log({{"m", std::nan(""), 1, 1}, {"m", HUGE_VAL, 2, 2}});
  EXPECT_EQ(v1("jobs/job/curves", {{"key", "m"}})["curves"][0]["points"],
            (nlohmann::json{{1, 1, "NaN"}, {2, 2, "Infinity"}}));
}

}  // namespace
}  // namespace lockstep::api
