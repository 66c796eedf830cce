#include "runner/display.hpp"

#include <gtest/gtest.h>

namespace lockstep::runner {

static history::Progress half_way() { return {2, 5, 301, 1175, 0.40213, 5120.4, 12.41}; }

static std::string shown_by(DisplayMode mode) {
  ::testing::internal::CaptureStdout();
  {
    Display display(mode);
    display.progress(half_way());
    display.progress(half_way());
    display.note("epoch 2/5 done");
    display.progress(half_way());
  }
  return ::testing::internal::GetCapturedStdout();
}

static std::string line() { return "epoch 2/5  step 301/1175  loss 0.4021  5120 images/s  12.4 s left"; }

TEST(Display, TellsEpochStepLossSpeedAndTimeLeft) { EXPECT_EQ(progress_line(half_way()), line()); }

TEST(Display, OtherRanksAreSilent) { EXPECT_EQ(shown_by(DisplayMode::silent), ""); }

TEST(Display, UnderALauncherOnlyNotesAreShown) { EXPECT_EQ(shown_by(DisplayMode::notes), "epoch 2/5 done\n"); }

TEST(Display, InAFileProgressIsALineNowAndThen) {
  EXPECT_EQ(shown_by(DisplayMode::lines), line() + "\nepoch 2/5 done\n");
}

TEST(Display, OnATerminalOneLineIsDrawnAgainAndClearedForNotes) {
  const std::string clear = "\r\x1b[K";
  EXPECT_EQ(shown_by(DisplayMode::redrawn),
            clear + line() + clear + line() + clear + "epoch 2/5 done\n" + clear + line() + clear);
}

TEST(Display, OnlyRankZeroShowsAnything) {
  EXPECT_EQ(choose_display(1, false), DisplayMode::silent);
  EXPECT_EQ(choose_display(1, true), DisplayMode::silent);
  EXPECT_EQ(choose_display(0, true), DisplayMode::notes);
}

}  // namespace lockstep::runner
