// The training loop around a model of plain loops.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <limits>

#include "common/error.hpp"
#include "history/sink/journal.hpp"
#include "runner/agreement.hpp"
#include "runner/program.hpp"
#include "tests/support/idx_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/runner/fake_model.hpp"

namespace lockstep::runner {

using lockstep::testing::FakeModel;
using lockstep::testing::TemporaryFolder;
using ::testing::HasSubstr;

namespace {
// 100 images in batches of 32: 4 steps per epoch, 20 in all.
class Train : public ::testing::Test {
 protected:
  Train() {
    ::unsetenv("LOCKSTEP_RUN_DIR");
    fs::create_directories(folder_ / "data");
    lockstep::testing::write_synthetic_data(folder_ / "data", {.count = 100, .side = 6});
    options_.data = folder_ / "data";
    options_.batch_size = 32;
    options_.epochs = 5;
    options_.dropout = 0.2;
    options_.schedule = "cosine";
    options_.warmup_steps = 3;
    options_.weight_decay = 0.01;
    options_.log_every = 1;
    in(folder_ / "run");
  }

  void in(const fs::path& folder) {
    options_.journal = folder / "metrics";
    options_.checkpoint_dir = folder / "checkpoints";
    options_.output = folder / "model";
  }

  ExitCode run(std::function<void(std::uint64_t)> before_step = {}) {
    const auto collective = make_single_collective();
    return train(options_, *collective, [&](const ModelSpec& spec, int, kernels::Device&) {
      auto model = std::make_unique<FakeModel>(spec);
      model->before_step = before_step;
      return model;
    });
  }

  std::string weights() const { return read_file(fs::path(options_.output) / "model.safetensors"); }

  std::map<std::int64_t, double> metric(const std::string& name) const {
    std::map<std::int64_t, double> values;
    history::JournalReader reader(fs::path(options_.journal) / "rank-0.jsonl");
    for (const auto& entry : reader.read_new()) {
      for (const auto& [key, value] : entry.metrics) {
        if (key == name) values[entry.step] = value;
      }
    }
    return values;
  }

  std::string error() {
    try {
      run();
    } catch (const AgreedError& error) {
      EXPECT_TRUE(error.speaks());
      return error.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
  Options options_;
};

// All event files of a folder, one after the other.
std::string event_files(const fs::path& folder) {
  std::string bytes;
  for (const auto& each : fs::directory_iterator(folder)) bytes += read_file(each.path());
  return bytes;
}

int count(const std::string& text, const std::string& word) {
  int times = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++times;
  return times;
}

auto at_step(std::uint64_t wanted, int signal) {
  return [=](std::uint64_t step) {
    if (step == wanted) ::raise(signal);
  };
}
}  // namespace

TEST_F(Train, LearnsAndRecordsItsMetrics) {
  options_.epochs = 20;
  EXPECT_EQ(run(), ExitCode::done);
  EXPECT_EQ(metric("train_loss").size(), 80U);
  EXPECT_EQ(metric("learning_rate").at(1), options_.learning_rate / 3);
  EXPECT_EQ(metric("validation_loss").size(), 20U);
  const double accuracy = metric("test_accuracy").at(80);
  EXPECT_TRUE(accuracy > 0.9) << accuracy;
  EXPECT_TRUE(metric("train_loss").at(80) < 0.5 * metric("train_loss").at(1));
}

TEST_F(Train, EpochLossIsTheMeanOverItsImages) {
  EXPECT_EQ(run(), ExitCode::done);
  const auto losses = metric("train_loss");
  const double mean = (32 * (losses.at(5) + losses.at(6) + losses.at(7)) + 4 * losses.at(8)) / 100;
  EXPECT_NEAR(metric("epoch_train_loss").at(8), mean, 1e-12);
}

TEST_F(Train, ResumedEqualsUninterruptedBitForBit) {
  for (const char* optimizer : {"sgd", "adamw"}) {
    for (const std::uint64_t stop_after : {0, 6, 7, 18}) {
      options_.optimizer = optimizer;
      in(folder_ / fmt::format("whole-{}-{}", optimizer, stop_after));
      ASSERT_EQ(run(), ExitCode::done);
      const std::string whole = weights();
      const auto epoch_losses = metric("epoch_train_loss");
      in(folder_ / fmt::format("stopped-{}-{}", optimizer, stop_after));
      ASSERT_EQ(run(at_step(stop_after, SIGTERM)), ExitCode::stopped_early);
      ASSERT_FALSE(fs::exists(options_.output));
      ASSERT_EQ(run(), ExitCode::done);
      EXPECT_TRUE(weights() == whole) << optimizer << " stopped after step " << stop_after;
      EXPECT_EQ(metric("epoch_train_loss"), epoch_losses);
      EXPECT_EQ(metric("train_loss").size(), 20U);
    }
  }
}

TEST_F(Train, WithoutItsOptimizerStateAResumedRunWouldDiffer) {  // so the test above can fail
  ASSERT_EQ(run(), ExitCode::done);
  const std::string whole = weights();
  options_.momentum = 0;
  in(folder_ / "other");
  ASSERT_EQ(run(), ExitCode::done);
  EXPECT_FALSE(weights() == whole);
}

TEST_F(Train, SavesAndGoesOnWhenAsked) {
  EXPECT_EQ(run(at_step(9, SIGUSR1)), ExitCode::done);
  EXPECT_TRUE(fs::exists(fs::path(options_.checkpoint_dir) / "step-00000010" / "manifest.json"));
  EXPECT_EQ(metric("train_loss").size(), 20U);
}

TEST_F(Train, SavesEverySoManySteps) {
  options_.checkpoint_every = 6;
  options_.keep_checkpoints = 2;
  EXPECT_EQ(run(), ExitCode::done);
  EXPECT_FALSE(fs::exists(fs::path(options_.checkpoint_dir) / "step-00000006"));
  for (const char* name : {"step-00000012", "step-00000018"}) {
    EXPECT_TRUE(fs::exists(fs::path(options_.checkpoint_dir) / name / "manifest.json")) << name;
  }
}

TEST_F(Train, AFinishedRunHasNothingLeftToDo) {
  options_.checkpoint_every = 20;
  ASSERT_EQ(run(), ExitCode::done);
  const std::string whole = weights();
  ASSERT_EQ(run(), ExitCode::done);
  EXPECT_TRUE(weights() == whole);
  EXPECT_EQ(metric("train_loss").size(), 20U);
}

TEST_F(Train, EndsAtMaxStepsWithoutChangingTheSchedule) {
  ASSERT_EQ(run(), ExitCode::done);
  const auto whole = metric("train_loss");
  options_.max_steps = 7;
  in(folder_ / "short");
  ASSERT_EQ(run(), ExitCode::done);
  const auto part = metric("train_loss");
  EXPECT_EQ(part.size(), 7U);
  EXPECT_EQ(part.at(7), whole.at(7));
  EXPECT_EQ(metric("test_accuracy").size(), 1U);
}

TEST_F(Train, StartsNoSecondRunInAFolderOfCheckpoints) {
  options_.checkpoint_every = 10;
  ASSERT_EQ(run(), ExitCode::done);
  options_.resume = "none";
  EXPECT_THAT(error(), HasSubstr("is a checkpoint of an earlier run"));
}

TEST_F(Train, GoesOnFromANamedCheckpoint) {
  options_.checkpoint_every = 5;
  options_.keep_checkpoints = 9;
  ASSERT_EQ(run(), ExitCode::done);
  const std::string whole = weights();
  options_.resume = fs::path(options_.checkpoint_dir) / "step-00000005";
  in(folder_ / "again");
  ASSERT_EQ(run(), ExitCode::done);
  EXPECT_TRUE(weights() == whole);
  EXPECT_EQ(metric("train_loss").size(), 15U);
}

TEST_F(Train, ValidatesOnTheImagesKeptBack) {
  options_.validation_split = 0.2;
  ASSERT_EQ(run(), ExitCode::done);
  EXPECT_EQ(metric("train_loss").size(), 15U);  // 80 images in batches of 32
  EXPECT_EQ(metric("validation_accuracy").size(), 5U);
  EXPECT_EQ(metric("test_accuracy").size(), 1U);
}

TEST_F(Train, EndsWithAReasonWhenTheLossIsNoNumber) {
  options_.learning_rate = 1000;
  options_.schedule = "constant";
  options_.optimizer = "sgd";
  options_.weight_decay = 10;
  EXPECT_THAT(error(), HasSubstr("training diverged; try a smaller --lr"));
}

TEST_F(Train, SaysWhyThereIsNoGpu) {
  options_.device = "cuda";
  EXPECT_EQ(error(), "--device cuda: built without CUDA");
  options_.device = "cpu";
  options_.precision = "tf32";
  EXPECT_THAT(error(), HasSubstr("--precision tf32: CPUs compute in f32"));
  options_.precision = "f32";
  options_.gradient_precision = "bf16";
  EXPECT_THAT(error(), HasSubstr("--gradient-precision bf16: CPUs add f32 up"));
  options_.gradient_precision = "f32";
  options_.cuda_graph = "on";
  EXPECT_THAT(error(), HasSubstr("--cuda-graph on: CPUs record nothing"));
  options_.cuda_graph = "off";
  options_.device = "auto";
  EXPECT_EQ(run(), ExitCode::done);
}

TEST_F(Train, WritesEventFilesBesideItsJournal) {
  options_.weight_histograms = 10;
  EXPECT_EQ(run(), ExitCode::done);
  const std::string events = event_files(fs::path(options_.journal) / "tensorboard");
  for (const char* name : {"train_loss", "test_accuracy", "dense.weight", "dense.bias", "histograms", "parameters"}) {
    EXPECT_THAT(events, HasSubstr(name));
  }
  EXPECT_EQ(count(events, "dense.weight"), 2);
  EXPECT_EQ(count(events, "test_accuracy"), 1);
}

TEST_F(Train, WritesEventFilesWhereItIsToldToOrNone) {
  options_.tensorboard = folder_ / "events";
  EXPECT_EQ(run(), ExitCode::done);
  EXPECT_FALSE(event_files(options_.tensorboard).empty());
  in(folder_ / "again");
  options_.tensorboard = "none";
  EXPECT_EQ(run(), ExitCode::done);
  EXPECT_FALSE(fs::exists(fs::path(options_.journal) / "tensorboard"));
}

TEST_F(Train, GoesOnWithoutEventFilesAndSaysSoOnce) {
  lockstep::testing::write_bytes(folder_ / "file", "");
  options_.tensorboard = folder_ / "file/inside";
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run(), ExitCode::done);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(count(said, "nothing for TensorBoard"), 1) << said;
  EXPECT_EQ(metric("train_loss").size(), 20U);
}

TEST_F(Train, HistogramsChangeNoBitOfTheTraining) {
  ASSERT_EQ(run(), ExitCode::done);
  const std::string whole = weights();
  options_.weight_histograms = 1;
  in(folder_ / "watched");
  ASSERT_EQ(run(), ExitCode::done);
  EXPECT_TRUE(weights() == whole);
}

TEST_F(Train, BadDataEndsBeforeTheFirstStep) {
  lockstep::testing::write_bytes(fs::path(options_.data) / "t10k-images-idx3-ubyte", "garbage");
  EXPECT_THAT(error(), HasSubstr("t10k-images-idx3-ubyte: not an IDX file"));
  EXPECT_FALSE(fs::exists(options_.journal));
  options_.data = folder_ / "nowhere";
  EXPECT_THAT(error(), HasSubstr("no such folder"));
}

}  // namespace lockstep::runner
