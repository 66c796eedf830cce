// Stopped, killed, told to save: the training that goes on ends with the same bits as one that was left alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/ranks/training_run.hpp"

namespace lockstep {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TrainingRun;

namespace {
class StopAndResume : public ::testing::Test {
 protected:
  StopAndResume() { testing::write_synthetic_data(folder_.path(), {.count = 640, .side = 28}); }

  // 10 steps per epoch; long enough that a signal sent after the first steps arrives before the end.
  TrainingRun training(int ranks, const std::string& name, const std::string& optimizer, int epochs,
                       std::vector<std::string> more = {}) {
    std::vector<std::string> options = {"--data",         folder_.path(),
                                        "--model",        "mlp",
                                        "--layers",       "512,512",
                                        "--batch-size",   "64",
                                        "--epochs",       std::to_string(epochs),
                                        "--optimizer",    optimizer,
                                        "--lr",           "0.001",
                                        "--dropout",      "0.3",
                                        "--schedule",     "cosine",
                                        "--weight-decay", "0.01",
                                        "--log-every",    "1"};
    options.insert(options.end(), more.begin(), more.end());
    return {ranks, folder_ / name, options};
  }

  testing::TemporaryFolder folder_;
};
}  // namespace

TEST_F(StopAndResume, TermToOneRankStopsAllAtOneStepAndTheResumedRunIsIdentical) {
  for (const int ranks : {1, 2}) {
    const std::string optimizer = ranks == 1 ? "sgd" : "adamw";
    auto whole = training(ranks, "whole-" + std::to_string(ranks), optimizer, 30);
    ASSERT_EQ(whole.run().exit_code(), 0);
    auto stopped = training(ranks, "stopped-" + std::to_string(ranks), optimizer, 30);
    const auto first = stopped.run_and_signal(13, ranks - 1, SIGTERM);
    EXPECT_EQ(first.exit_code(), 75) << first.output;
    EXPECT_THAT(first.output, HasSubstr("stopped at step"));
    EXPECT_EQ(stopped.checkpoints().size(), 1U);
    EXPECT_FALSE(fs::exists(stopped.folder().output("model")));
    const auto second = stopped.run();
    EXPECT_EQ(second.exit_code(), 0) << second.output;
    EXPECT_THAT(second.output, HasSubstr("goes on from"));
    EXPECT_TRUE(stopped.weights() == whole.weights()) << ranks << " ranks";
    EXPECT_EQ(stopped.metric("train_loss"), whole.metric("train_loss"));
  }
}

TEST_F(StopAndResume, Usr1SavesAndGoesOn) {
  auto run = training(2, "saved", "sgd", 30);
  const auto result = run.run_and_signal(13, 1, SIGUSR1);
  EXPECT_EQ(result.exit_code(), 0) << result.output;
  EXPECT_EQ(run.checkpoints().size(), 1U);
  EXPECT_EQ(run.steps_done(), 300);
}

TEST_F(StopAndResume, KilledWhileItSavesItGoesOnFromTheCheckpointBefore) {
  auto whole = training(2, "whole", "sgd", 3);
  ASSERT_EQ(whole.run().exit_code(), 0);
  for (const char* point : {"checkpoint-after-model", "checkpoint-before-manifest", "checkpoint-before-removal"}) {
    auto killed = training(2, point, "sgd", 3, {"--checkpoint-every", "7", "--keep-checkpoints", "2"});
    const auto first = killed.run({{"LOCKSTEP_FAULT", std::string(point) + ":2"}});
    EXPECT_EQ(first.exit_code(), 137) << first.output;
    const bool complete = std::string(point) == "checkpoint-before-removal";
    EXPECT_EQ(killed.checkpoints().back(), complete ? "step-00000014" : "step-00000007");
    const auto second = killed.run();
    EXPECT_EQ(second.exit_code(), 0) << second.output;
    EXPECT_THAT(second.output, HasSubstr(complete ? "step-00000014 (step 14 of 30)" : "step-00000007 (step 7 of 30)"));
    EXPECT_EQ(second.output.find("it has no manifest, so it was never completed") != std::string::npos, !complete);
    EXPECT_TRUE(killed.weights() == whole.weights()) << point;
    EXPECT_THAT(killed.checkpoints(), ElementsAre("step-00000021", "step-00000028"));
  }
}

TEST_F(StopAndResume, OtherNumbersOfRanksGoOnWithTheSameBits) {
  auto whole = training(2, "whole", "adamw", 3);
  ASSERT_EQ(whole.run().exit_code(), 0);
  auto four = training(4, "run", "adamw", 3, {"--checkpoint-every", "10", "--max-steps", "10"});
  ASSERT_EQ(four.run().exit_code(), 0);
  auto two = training(2, "run", "adamw", 3, {"--checkpoint-every", "10", "--max-steps", "20"});
  ASSERT_EQ(two.run().exit_code(), 0);
  auto one = training(1, "run", "adamw", 3);
  const auto result = one.run();
  EXPECT_EQ(result.exit_code(), 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("on 1 rank, until now 2: the same data, added up in the same order"));
  EXPECT_EQ(one.metric("train_loss"), whole.metric("train_loss"));
  EXPECT_TRUE(one.weights() == whole.weights());
}

TEST_F(StopAndResume, ThreeRanksGoOnInAnotherOrderAndSaySo) {
  auto two = training(2, "run", "sgd", 2, {"--checkpoint-every", "10", "--max-steps", "10"});
  ASSERT_EQ(two.run().exit_code(), 0);
  auto three = training(3, "run", "sgd", 2);
  const auto result = three.run();
  EXPECT_EQ(result.exit_code(), 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("on 3 ranks, until now 2: the same data, added up in another order"));
  EXPECT_EQ(three.steps_done(), 20);
}

TEST_F(StopAndResume, AnErrorOfAllRanksIsPrintedOnce) {
  const auto bad = testing::run_mpi(2, {LOCKSTEP_TRAIN, "--epoch", "5"});
  EXPECT_EQ(bad.exit_code(), 2) << bad.output;
  EXPECT_EQ(bad.output.find("did you mean '--epochs'"), bad.output.rfind("did you mean '--epochs'"));
  const auto nothing = testing::run_mpi(2, {LOCKSTEP_TRAIN, "--data", "/nowhere"});
  EXPECT_EQ(nothing.exit_code(), 3) << nothing.output;
  EXPECT_EQ(nothing.output.find("/nowhere"), nothing.output.rfind("/nowhere"));
}

TEST_F(StopAndResume, AnErrorOfOneRankNamesTheRankAndEndsAll) {
  // Rank 1 alone is given a folder that does not exist: mpirun starts two different command lines.
  auto program = testing::mpi_program(1, {LOCKSTEP_TRAIN, "--data", folder_.path(), "--model", "mlp", ":", "-np", "1",
                                          LOCKSTEP_TRAIN, "--data", "/nowhere", "--model", "mlp"});
  program.working_folder = folder_.path();
  const auto result = run_program(program);
  EXPECT_EQ(result.exit_code(), 3) << result.output;
  EXPECT_THAT(result.output, HasSubstr("rank 1 on "));
  EXPECT_THAT(result.output, HasSubstr("/nowhere: no such folder"));
}

}  // namespace lockstep
