// The same global batches give the same training on any number of ranks; a wrong average does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/ranks/training_run.hpp"

namespace lockstep {

using testing::TrainingRun;

namespace {
class SameResult : public ::testing::Test {
 protected:
  SameResult() { testing::write_synthetic_data(folder_.path(), {.count = 650, .side = 12}); }

  // 11 steps per epoch, the last with 10 images.
  TrainingRun train(int ranks, const std::string& name, std::vector<std::string> more, const Environment& extra = {},
                    const std::string& program = LOCKSTEP_TRAIN) {
    std::vector<std::string> options = {
        "--data", folder_.path(), "--batch-size", "64",        "--epochs", "2", "--log-every",
        "1",      "--lr",         "0.02",         "--dropout", "0.2"};
    options.insert(options.end(), more.begin(), more.end());
    TrainingRun run(ranks, folder_ / name, options, program);
    const auto result = run.run(extra);
    EXPECT_EQ(result.exit_code(), 0) << result.output;
    return run;
  }

  // The measure: losses of the first 20 steps within 1e-5, the epoch's mean within 1e-3, both relative.
  static bool agree(const TrainingRun& a, const TrainingRun& b) {
    const auto near = [](double x, double y, double tolerance) {
      return std::isfinite(x) && std::fabs(x - y) <= tolerance * std::fabs(y);
    };
    const auto first = a.metric("train_loss");
    const auto second = b.metric("train_loss");
    const auto mean = a.metric("epoch_train_loss");
    const auto other_mean = b.metric("epoch_train_loss");
    bool all = first.size() == 22 && second.size() == 22 && mean.size() == 2 && other_mean.size() == 2;
    for (std::int64_t step = 1; all && step <= 20; ++step) {
      all = near(first.at(step), second.at(step), 1e-5);
      if (!all) GTEST_LOG_(INFO) << "step " << step << ": " << first.at(step) << " and " << second.at(step);
    }
    return all && near(mean.at(11), other_mean.at(11), 1e-3) && near(mean.at(22), other_mean.at(22), 1e-3);
  }

  static void expect_same_bits(const TrainingRun& a, const TrainingRun& b) {
    for (const char* metric : {"train_loss", "epoch_train_loss", "validation_loss", "validation_accuracy"}) {
      EXPECT_FALSE(a.metric(metric).empty()) << metric;
      EXPECT_EQ(a.metric(metric), b.metric(metric)) << metric;
    }
    EXPECT_TRUE(a.weights() == b.weights());
  }

  testing::TemporaryFolder folder_;
};
}  // namespace

TEST_F(SameResult, BitForBitOnOneTwoAndFourRanks) {
  for (const std::string model : {"mlp", "cnn"}) {
    const std::vector<std::string> options = {"--model", model, "--layers", model == "mlp" ? "64,32" : "8,16"};
    const auto one = train(1, model + "-1", options);
    for (const int ranks : {2, 4}) {
      const auto more = train(ranks, model + "-" + std::to_string(ranks), options);
      EXPECT_TRUE(agree(more, one)) << model;
      expect_same_bits(more, one);
    }
  }
}

// What a user gets who gives no option but the data: images of 28x28, the default layers, a learning rate at which
// rounding alone makes losses differ by a percent within 20 steps (docs/kernels.md).
TEST_F(SameResult, BitForBitWithTheDefaultModel) {
  testing::TemporaryFolder data;
  testing::write_synthetic_data(data.path(), {.count = 160, .side = 28});
  const std::vector<std::string> options = {"--data",   data.path(), "--batch-size", "32",
                                            "--epochs", "4",         "--log-every",  "1"};
  std::vector<TrainingRun> runs;
  for (const int ranks : {1, 2, 4}) {
    runs.emplace_back(ranks, folder_ / std::to_string(ranks), options);
    const auto result = runs.back().run();
    ASSERT_EQ(result.exit_code(), 0) << result.output;
  }
  EXPECT_EQ(runs[0].metric("train_loss").size(), 20U);
  expect_same_bits(runs[1], runs[0]);
  expect_same_bits(runs[2], runs[0]);
}

// Three blocks: another order than four.
TEST_F(SameResult, NearlyOnThreeRanks) {
  const std::vector<std::string> options = {"--model", "mlp", "--layers", "64,32"};
  const auto one = train(1, "one", options);
  const auto three = train(3, "three", options);
  EXPECT_TRUE(agree(three, one));
  EXPECT_FALSE(three.weights() == one.weights());
}

TEST_F(SameResult, WithAndWithoutOverlap) {
  const std::vector<std::string> wide = {"--model", "mlp", "--layers", "1024,1024", "--overlap"};  // 3 buckets
  auto off = wide;
  auto on = wide;
  off.emplace_back("off");
  on.emplace_back("on");
  const auto one = train(1, "one", off);
  expect_same_bits(train(2, "off", off), one);
  expect_same_bits(train(2, "on", on), one);
  expect_same_bits(train(4, "on-four", on), one);
}

TEST_F(SameResult, AWrongAverageIsNoticed) {
  const std::vector<std::string> options = {"--model", "mlp", "--layers", "64,32"};
  const auto one = train(1, "one", options);
  EXPECT_TRUE(agree(train(2, "right", options, {}, WRONG_AVERAGE), one));
  for (const char* mistake : {"sum", "twice"}) {
    EXPECT_FALSE(agree(train(2, mistake, options, {{"LOCKSTEP_TEST_AVERAGE", mistake}}, WRONG_AVERAGE), one))
        << mistake;
  }
}

TEST_F(SameResult, EveryRankKeepsAJournal) {
  const auto run = train(2, "two", {"--model", "mlp", "--layers", "8"});
  history::JournalReader reader(run.folder().journal(1));
  std::int64_t records = 0;
  for (const auto& entry : reader.read_new()) {
    EXPECT_EQ(entry.rank, 1);
    for (const auto& [name, value] : entry.metrics) records += name == "rank-1/step_time_ms" && value > 0 ? 1 : 0;
  }
  EXPECT_EQ(records, 22);
}

}  // namespace lockstep
