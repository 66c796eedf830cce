// lockstep-train --device cuda, whole, on emulated GPUs: against the same training on the CPU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>

#include "tests/ranks/training_run.hpp"

namespace lockstep {

using ::testing::HasSubstr;
using testing::TrainingRun;

namespace {
// Host-device traffic of one process, as the emulated program's last line has it.
struct Counts {
  long launches = -1;
  long synchronizations = -1;
  long event_waits = -1;
  long copies = -1;
};
Counts counts_of(const std::string& output) {
  static const std::regex line("emulated: (\\d+) launches, (\\d+) synchronizations, (\\d+) event waits, (\\d+) copies");
  std::smatch found;
  if (!std::regex_search(output, found, line)) return {};
  return {std::stol(found[1]), std::stol(found[2]), std::stol(found[3]), std::stol(found[4])};
}

class GpuTraining : public ::testing::Test {
 protected:
  GpuTraining() { testing::write_synthetic_data(folder_.path(), {.count = 170, .side = 12}); }

  using Changes = std::map<std::string, std::string>;  // of options

  // 11 steps per epoch, the last with 10 images.
  TrainingRun training(const std::string& program, int ranks, const std::string& name, const std::string& model,
                       const Changes& changes) {
    Changes all = {{"data", folder_.path()}, {"layers", model == "mlp" ? "33,17" : "5,8"},
                   {"dense", "16"},          {"batch-size", "16"},
                   {"epochs", "2"},          {"lr", "0.02"},
                   {"dropout", "0.2"},       {"log-every", "1"}};
    for (const auto& [option, value] : changes) all[option] = value;
    std::vector<std::string> options = {"--model", model};
    for (const auto& [option, value] : all) options.insert(options.end(), {"--" + option, value});
    return {ranks, folder_ / name, options, program};
  }
  TrainingRun ended(TrainingRun run, const Environment& extra = {}) {
    output_ = run.run(extra);
    EXPECT_EQ(output_.exit_code(), 0) << output_.output;
    return run;
  }
  TrainingRun on_cpu(const std::string& name, const std::string& model, const Changes& changes = {}) {
    return ended(training(LOCKSTEP_TRAIN, 1, name, model, changes));
  }
  TrainingRun on_gpus(int ranks, const std::string& name, const std::string& model, Changes changes = {},
                      const std::string& seed = "1") {
    changes["device"] = "cuda";
    return ended(training(LOCKSTEP_TRAIN_EMULATED, ranks, name, model, changes), {{"LOCKSTEP_EMULATION_SEED", seed}});
  }

  // Sums in float32 in other orders: losses within 1e-4 of each other over the first 20 steps (measured: below 1e-5).
  static bool agree(const TrainingRun& a, const TrainingRun& b, double tolerance = 1e-4) {
    const auto first = a.metric("train_loss");
    const auto second = b.metric("train_loss");
    bool all = first.size() >= 20 && second.size() == first.size();
    for (std::int64_t step = 1; all && step <= 20; ++step) {
      const double difference = std::fabs(first.at(step) - second.at(step)) / second.at(step);
      all = difference <= tolerance;
      if (!all) GTEST_LOG_(INFO) << "step " << step << ": " << first.at(step) << " and " << second.at(step);
    }
    return all;
  }

  testing::TemporaryFolder folder_;
  ProgramResult output_;
};
}  // namespace

TEST_F(GpuTraining, OneGpuGivesTheCpusLosses) {
  for (const std::string model : {"mlp", "cnn"}) {
    const auto cpu = on_cpu(model + "-cpu", model);
    const auto gpu = on_gpus(1, model + "-gpu", model);
    EXPECT_THAT(output_.output, HasSubstr("computes on cuda 0: emulated GPU"));
    EXPECT_TRUE(agree(gpu, cpu)) << model;
    EXPECT_EQ(gpu.metric("validation_accuracy").size(), 2U);
    for (const auto& [step, loss] : cpu.metric("validation_loss")) {
      EXPECT_NEAR(gpu.metric("validation_loss").at(step), loss, 1e-3 * loss) << model;
    }
  }
}

TEST_F(GpuTraining, AnotherTrainingIsNoticed) {  // so the comparison can fail
  const auto cpu = on_cpu("cpu", "mlp");
  EXPECT_FALSE(agree(on_gpus(1, "gpu", "mlp", {{"seed", "2"}}), cpu));
  EXPECT_FALSE(agree(on_gpus(1, "rate", "mlp", {{"momentum", "0.89"}}), cpu));
}

TEST_F(GpuTraining, ACheckpointOfEitherGoesOnOnTheOther) {
  for (const std::string optimizer : {"sgd", "adamw"}) {
    const Changes options = {{"optimizer", optimizer}, {"lr", optimizer == "sgd" ? "0.02" : "0.002"}};
    Changes stopped = options;
    stopped.insert({{"max-steps", "7"}, {"checkpoint-every", "7"}});
    const auto whole = on_cpu("whole-" + optimizer, "mlp", options);

    on_gpus(1, "from-gpu-" + optimizer, "mlp", stopped);
    EXPECT_TRUE(agree(on_cpu("from-gpu-" + optimizer, "mlp", options), whole)) << optimizer;
    EXPECT_THAT(output_.output, HasSubstr("goes on from"));

    on_cpu("from-cpu-" + optimizer, "mlp", stopped);
    EXPECT_TRUE(agree(on_gpus(1, "from-cpu-" + optimizer, "mlp", options), whole)) << optimizer;
    EXPECT_THAT(output_.output, HasSubstr("goes on from"));
  }
}

TEST_F(GpuTraining, ResumedEqualsUninterruptedBitForBit) {
  const auto whole = on_gpus(1, "whole", "cnn");
  auto stopped = training(LOCKSTEP_TRAIN_EMULATED, 1, "stopped", "cnn", {{"device", "cuda"}});
  EXPECT_EQ(stopped.run_and_signal(5, 0, SIGTERM).exit_code(), 75);
  const auto resumed = on_gpus(1, "stopped", "cnn");
  EXPECT_THAT(output_.output, HasSubstr("goes on from"));
  EXPECT_TRUE(resumed.weights() == whole.weights());
  EXPECT_EQ(resumed.metric("train_loss"), whole.metric("train_loss"));
}

// In one stream work is in order; between streams only events hold it: batches and gradients must come out the same.
TEST_F(GpuTraining, TheOrderThatStreamsTakeChangesNoBit) {
  const auto want = on_gpus(1, "seed-1", "mlp", {{"log-every", "7"}});
  for (const std::string seed : {"2", "3", "4", "5"}) {
    const auto got = on_gpus(1, "seed-" + seed, "mlp", {{"log-every", "7"}}, seed);
    EXPECT_TRUE(got.weights() == want.weights()) << "seed " << seed;
  }
}

// Between two looks at the losses the host only queues; it waits for the copy of the batch before the last, so that it
// does not run away.
TEST_F(GpuTraining, WaitsForTheDeviceOncePerLoggingInterval) {
  const auto counts_with = [&](const std::string& name, const std::string& steps, const std::string& interval) {
    on_gpus(1, name, "cnn", {{"max-steps", steps}, {"log-every", interval}});
    return counts_of(output_.output);
  };
  const Counts some = counts_with("some", "2", "1000");
  const Counts more = counts_with("more", "10", "1000");
  ASSERT_TRUE(some.launches > 0);
  EXPECT_EQ(more.synchronizations, some.synchronizations);
  EXPECT_LE(more.event_waits - some.event_waits, 8);
  const Counts logged = counts_with("logged", "10", "2");
  EXPECT_EQ(logged.synchronizations - more.synchronizations, 4);  // after steps 2, 4, 6, 8; the tenth is the end
}

// A step of the cnn at four blocks a batch: what the launches are spent on stands in docs/gpu.md.
TEST_F(GpuTraining, AStepOfTheCnnLaunchesAtMostSoManyKernels) {
  const auto launches = [&](const std::string& steps) {
    on_gpus(1, "steps-" + steps, "cnn", {{"max-steps", steps}, {"blocks", "1"}});
    return counts_of(output_.output).launches;
  };
  const long of_eight_steps = launches("10") - launches("2");
  EXPECT_TRUE(of_eight_steps > 0 && of_eight_steps <= 8 * 40) << of_eight_steps;
}

}  // namespace lockstep
