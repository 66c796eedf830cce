#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <sstream>

#include "cli/loss_curve.hpp"
#include "cli/progress_text.hpp"
#include "cli/state_lines.hpp"
#include "history/store/run_name.hpp"

namespace lockstep::cli {
namespace {

std::vector<history::Metric> falling(int count) {
  std::vector<history::Metric> points;
  points.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) points.push_back({"train_loss", 10.0 - 10.0 * i / (count - 1), 0, i});
  return points;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(LossCurve, DrawsAFallingLineFromTheTopLeftToTheBottomRight) {
  const auto lines = lines_of(draw_curve("train_loss", falling(11), {.columns = 22, .rows = 11, .utf8 = false}));
  ASSERT_EQ(lines.size(), 14U);
  EXPECT_EQ(lines[0], "         train_loss");
  EXPECT_EQ(lines[1], "      10 +*");
  EXPECT_EQ(lines[6], "       5 +     *");
  EXPECT_EQ(lines[8], "         |       *");
  EXPECT_EQ(lines[11], "       0 +          *");
  EXPECT_EQ(lines[12], "         +-----------");
  EXPECT_EQ(lines[13], "          0   step 10");
}

TEST(LossCurve, HasADotInEveryColumnHoweverFewThePoints) {
  const auto lines = lines_of(draw_curve("m", falling(3), {.columns = 51, .rows = 5, .utf8 = false}));
  std::set<std::size_t> columns;
  for (std::size_t i = 1; i <= 5; ++i) {
    for (std::size_t at = 10; at < lines[i].size(); ++at) {
      if (lines[i][at] == '*') columns.insert(at);
    }
  }
  EXPECT_EQ(columns.size(), 40U);
}

TEST(LossCurve, AveragesMorePointsThanItHasDots) {
  std::vector<history::Metric> noisy;  // +1 and -1 by turns: every column's mean is about 0
  noisy.reserve(100'000);
  for (int i = 0; i < 100'000; ++i) noisy.push_back({"m", i % 2 == 0 ? 1.0 : -1.0, 0, i});
  const auto lines = lines_of(draw_curve("m", noisy, {.columns = 61, .rows = 3, .utf8 = false}));
  const double top = std::stod(lines[1].substr(0, 9));
  EXPECT_TRUE(std::abs(top) < 0.01) << top;
}

TEST(LossCurve, DrawsInBrailleWhereTheTerminalCan) {
  const std::string text = draw_curve("m", falling(11), {.columns = 22, .rows = 4, .utf8 = true});
  EXPECT_THAT(text, ::testing::HasSubstr("10 ┤\u2809"));  // the two dots at the top
  EXPECT_THAT(text, ::testing::HasSubstr("┤"));
}

TEST(LossCurve, LeavesOutWhatIsNotFiniteAndSaysSo) {
  auto points = falling(5);
  points[2].value = std::nan("");
  points.push_back({"m", std::numeric_limits<double>::infinity(), 0, 6});
  EXPECT_THAT(draw_curve("m", points, {}), ::testing::HasSubstr("m (2 values that are not finite are left out)"));
}

TEST(LossCurve, DrawsHugeAndEqualValues) {
  const double huge = std::numeric_limits<double>::max();
  EXPECT_THAT(draw_curve("m", std::vector<history::Metric>{{"m", -huge, 0, 0}, {"m", 0, 0, 1}, {"m", huge, 0, 2}}, {}),
              ::testing::HasSubstr("e+308"));
  EXPECT_THAT(draw_curve("m", std::vector<history::Metric>{{"m", 2, 0, 0}, {"m", 2, 0, 1}, {"m", 2, 0, 2}}, {}),
              ::testing::HasSubstr("2 ┤"));
}

TEST(LossCurve, IsNoneOfTwoPoints) { EXPECT_EQ(draw_curve("m", falling(2), {}), ""); }

const history::Progress progress{2, 5, 340, 1170, 0.43119, 12345.6, 41.2};

TEST(Progress, SaysWhereTrainingStands) {
  EXPECT_EQ(progress_words(progress), "epoch 2/5  step 340/1170  loss 0.4312  12,346 samples/s  42 s left");
}

TEST(Progress, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(progress_words({}), "");
  EXPECT_EQ(progress_words({1, 5, 0, 100, 0, std::nan(""), std::numeric_limits<double>::infinity()}),
            "epoch 1/5  step 0/100");
}

TEST(Progress, FitsEveryWidth) {
  for (const bool utf8 : {false, true}) {
    for (int width = 8; width < 160; ++width) {
      const std::string line = progress_line(progress, Terminal{.is_terminal = true, .utf8 = utf8, .width = width});
      EXPECT_LT(display_width(line), width) << line;
      EXPECT_THAT(line, ::testing::HasSubstr(" 29 %"));
    }
  }
}

TEST(Progress, DrawsABarAsLongAsTheFraction) {
  const Terminal wide{.is_terminal = true, .width = 120};
  EXPECT_THAT(progress_line({1, 1, 50, 100, 0, 0, 0}, wide), ::testing::StartsWith("[############            ]  50 %"));
  EXPECT_THAT(progress_line({1, 1, 100, 100, 0, 0, 0}, wide),
              ::testing::StartsWith("[########################] 100 %"));
}

TEST(RunName, IsTwoWordsAndEightSignsThatARunMayHave) {
  for (int i = 0; i < 200; ++i) {
    const history::RunName name = history::generate_run_name();
    EXPECT_THAT(name.run_id, ::testing::MatchesRegex("[a-z]+_[a-z]+_[0-9a-z]+"));
    EXPECT_EQ(name.run_id.substr(0, name.run_id.size() - 9), name.display_name);
  }
}

TEST(RunName, ComesTwiceNever) {
  std::set<std::string> names;
  for (int i = 0; i < 2000; ++i) names.insert(history::generate_run_name().run_id);
  EXPECT_EQ(names.size(), 2000U);
}

using history::RunState;

TEST(StateLines, SaysTheNewestStateAndOlderOnesThatHaveAReason) {
  StateLines lines(RunFolder("r"));
  std::vector<history::StateChange> changes = {
      {RunState::not_started, 1, ""}, {RunState::queued, 2, "all slots are taken"}, {RunState::preparing, 3, ""}};
  EXPECT_THAT(lines.new_lines(changes, false), ::testing::ElementsAre("Queued: all slots are taken", "Preparing"));
  EXPECT_THAT(lines.new_lines(changes, false), ::testing::IsEmpty());
  changes.push_back({RunState::running, 4, ""});
  changes.push_back({RunState::finalizing, 5, ""});
  changes.push_back({RunState::completed, 6, "the program exited with 0"});
  EXPECT_THAT(lines.new_lines(changes, true), ::testing::IsEmpty());
}

TEST(StateLines, SaysWhyARunWaits) {
  const std::vector<supervise::LedgerEntry> entries = {
      {1, "a", "/w", 2, true, {}}, {2, "b", "/w", 1, false, {}}, {3, "c", "/x", 1, false, {}}};
  EXPECT_EQ(queue_text(entries, "a", 2), "");
  EXPECT_EQ(queue_text(entries, "b", 2), "it is the next; it needs 1 slot, 2 of 2 are taken by a (2 slots)");
  EXPECT_EQ(queue_text(entries, "c", 2), "1 run waits before it; it needs 1 slot, 2 of 2 are taken by a (2 slots)");
  EXPECT_EQ(queue_text(entries, "gone", 2), "");
}

TEST(StateLines, DoesNotTellThatItRunsToWhomSeesItsLogs) {
  const std::vector<history::StateChange> changes = {{RunState::running, 4, ""}};
  EXPECT_THAT(StateLines(RunFolder("r")).new_lines(changes, true), ::testing::IsEmpty());
  EXPECT_THAT(StateLines(RunFolder("r")).new_lines(changes, false), ::testing::ElementsAre("Running"));
}

}  // namespace
}  // namespace lockstep::cli
