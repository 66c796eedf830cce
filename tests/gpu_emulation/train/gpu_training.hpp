// Trainings on a GPU (LOCKSTEP_TRAIN_GPU: lockstep-train, or its twin on the emulator) and on a CPU, to compare.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "tests/ranks/training_run.hpp"
#include "tests/support/fashion_mnist.hpp"

namespace lockstep::testing {

// tests/mutation puts a changed program in its place.
inline std::string program_on_gpus() {
  const char* other = std::getenv("LOCKSTEP_TRAIN_GPU");
  return other != nullptr ? other : LOCKSTEP_TRAIN_GPU;
}

class GpuTraining : public ::testing::Test {
 protected:
  GpuTraining() {
    write_fashion_mnist(folder_.path(), "train", 170);
    write_fashion_mnist(folder_.path(), "t10k", 34);
  }

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
    return ended(training(program_on_gpus(), ranks, name, model, changes), {{"LOCKSTEP_EMULATION_SEED", seed}});
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

  // For numbers of 8 bits of mantissa: by the mean over the first 20 steps, since single losses come near 0.
  static bool nearly_agree(const TrainingRun& a, const TrainingRun& b, double tolerance) {
    double sums[2] = {0, 0};
    const auto first = a.metric("train_loss");
    const auto second = b.metric("train_loss");
    if (first.size() < 20 || second.size() != first.size()) return false;
    for (std::int64_t step = 1; step <= 20; ++step) {
      sums[0] += first.at(step);
      sums[1] += second.at(step);
    }
    GTEST_LOG_(INFO) << "means: " << sums[0] / 20 << " and " << sums[1] / 20;
    return std::fabs(sums[0] - sums[1]) <= tolerance * sums[1];
  }

  TemporaryFolder folder_;
  ProgramResult output_;
};

}  // namespace lockstep::testing
