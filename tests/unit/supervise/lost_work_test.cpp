#include "launcher/supervise/lost_work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/clock.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/write_text.hpp"

namespace lockstep::supervise {
namespace {

using lockstep::testing::TemporaryFolder;
using lockstep::testing::write_text;
using ::testing::HasSubstr;

class LostWorkTest : public ::testing::Test {
 protected:
  LostWorkTest() : run(temporary / "run") { run.create(); }

  void has_a_journal() { write_text(run.journal(0), "{}\n"); }
  void has_checkpoint(const std::string& name, bool whole = true) {
    fs::create_directories(run.checkpoints() / name);
    write_text(run.checkpoints() / name / (whole ? "manifest.json" : "model.safetensors"), "{}");
  }

  TemporaryFolder temporary;
  RunFolder run;
};

TEST_F(LostWorkTest, IsTheStepsAfterTheNewestWholeCheckpoint) {
  has_a_journal();
  has_checkpoint("step-00000100");
  has_checkpoint("step-00000300");
  has_checkpoint("step-00000400", false);
  has_checkpoint("step-9x");
  EXPECT_EQ(newest_checkpoint(run), 300);
  const LostWork lost = lost_work(run, 312, now_ms());
  EXPECT_EQ(lost.steps, 12);
  EXPECT_EQ(lost.text, "12 steps after checkpoint 300 are done again");
  EXPECT_EQ(lost_work(run, 301, now_ms()).text, "1 step after checkpoint 300 is done again");
}

TEST_F(LostWorkTest, IsNothingWhenTheRanksSavedWhereTheyStood) {
  has_a_journal();
  has_checkpoint("step-00000312");
  EXPECT_EQ(lost_work(run, 312, now_ms()).steps, 0);
  EXPECT_EQ(lost_work(run, std::nullopt, now_ms()).text, "nothing is lost: it goes on from checkpoint 312");
}

TEST_F(LostWorkTest, IsEveryStepWhereThereIsNoCheckpoint) {
  has_a_journal();
  EXPECT_EQ(lost_work(run, 37, now_ms()).text, "37 steps are done again: there is no checkpoint in its folder");
  EXPECT_EQ(lost_work(run, std::nullopt, now_ms()).steps, 0);
}

TEST_F(LostWorkTest, OfAnotherProgramIsTheTimeSinceItWroteACheckpoint) {
  EXPECT_THAT(lost_work(run, std::nullopt, now_ms()).text, HasSubstr("not known"));
  EXPECT_EQ(lost_work(run, std::nullopt, now_ms()).millis, std::nullopt);
  write_text(run.checkpoints() / "epoch-3.pt", "weights");
  const LostWork lost = lost_work(run, std::nullopt, now_ms() + 12'000);
  EXPECT_GE(lost.millis.value_or(0), 12'000);
  EXPECT_EQ(lost.steps, std::nullopt);
  EXPECT_THAT(lost.text, HasSubstr("wrote to its checkpoints/ last"));
}

}  // namespace
}  // namespace lockstep::supervise
