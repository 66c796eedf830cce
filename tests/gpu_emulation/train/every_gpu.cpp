// lockstep-train --device cuda, whole, against the same training on the CPU; on emulated GPUs and on real ones.
#include "tests/gpu_emulation/train/gpu_training.hpp"

namespace lockstep::testing {

using ::testing::HasSubstr;

TEST_F(GpuTraining, OneGpuGivesTheCpusLosses) {
  for (const std::string model : {"mlp", "cnn"}) {
    const auto cpu = on_cpu(model + "-cpu", model);
    const auto gpu = on_gpus(1, model + "-gpu", model);
    EXPECT_THAT(output_.output, HasSubstr("computes on cuda 0: "));
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

TEST_F(GpuTraining, RefusesWhatOnlyCpusCanDo) {
  for (const auto& [option, value] :
       {std::pair<std::string, std::string>{"isa", "avx2"}, {"convolutions", "winograd"}}) {
    const auto result = training(program_on_gpus(), 1, option, "mlp", {{"device", "cuda"}, {option, value}}).run();
    EXPECT_EQ(result.exit_code(), 2) << result.output;
    EXPECT_THAT(result.output, HasSubstr("--" + option + " " + value + ": GPUs compute here; leave it out"));
  }
}

TEST_F(GpuTraining, ClippedGradientsGiveTheCpusLosses) {
  const Changes clipped = {{"clip-norm", "0.5"}, {"lr", "0.1"}};
  const auto cpu = on_cpu("cpu", "mlp", clipped);
  EXPECT_TRUE(agree(on_gpus(1, "gpu", "mlp", clipped), cpu));
  EXPECT_FALSE(agree(on_gpus(1, "unclipped", "mlp", {{"lr", "0.1"}}), cpu));
}

// Products of numbers with 10 bits of mantissa: near the CPU's losses, and not the same.
TEST_F(GpuTraining, TensorFloat32GivesNearlyTheCpusLosses) {
  const auto cpu = on_cpu("cpu", "mlp");
  const auto gpu = on_gpus(1, "gpu", "mlp", {{"precision", "tf32"}});
  EXPECT_TRUE(agree(gpu, cpu, 2e-2));
  EXPECT_FALSE(agree(gpu, cpu, 1e-6));
}

// Weights, activations and gradients of 8 bits of mantissa.
TEST_F(GpuTraining, Bfloat16GivesNearlyTheCpusLosses) {
  for (const std::string model : {"mlp", "cnn"}) {
    const auto cpu = on_cpu(model + "-cpu", model);
    const auto gpu = on_gpus(1, model + "-gpu", model, {{"precision", "bf16"}});
    EXPECT_TRUE(nearly_agree(gpu, cpu, 2e-2)) << model;
    EXPECT_FALSE(nearly_agree(gpu, cpu, 1e-5)) << model;
    EXPECT_FALSE(agree(gpu, cpu)) << model;
    for (const auto& [step, accuracy] : cpu.metric("validation_accuracy")) {
      EXPECT_NEAR(gpu.metric("validation_accuracy").at(step), accuracy, 0.05) << model;
    }
  }
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
  for (const std::string precision : {"f32", "bf16"}) {
    const Changes options = {{"device", "cuda"}, {"precision", precision}};
    const auto whole = on_gpus(1, "whole-" + precision, "cnn", options);
    auto stopped = training(program_on_gpus(), 1, "stopped-" + precision, "cnn", options);
    EXPECT_EQ(stopped.run_and_signal(5, 0, SIGTERM).exit_code(), 75);
    const auto resumed = on_gpus(1, "stopped-" + precision, "cnn", options);
    EXPECT_THAT(output_.output, HasSubstr("goes on from"));
    EXPECT_TRUE(resumed.weights() == whole.weights()) << precision;
    EXPECT_EQ(resumed.metric("train_loss"), whole.metric("train_loss")) << precision;
  }
}

}  // namespace lockstep::testing
