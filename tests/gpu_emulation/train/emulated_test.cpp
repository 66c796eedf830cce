// What only the emulator can show of lockstep-train on a GPU: any order of streams, counts, a full memory.
#include <regex>

#include "tests/gpu_emulation/train/gpu_training.hpp"

namespace lockstep::testing {

using ::testing::HasSubstr;

namespace {
// Host-device traffic of one process, as the emulated program's last line has it.
struct Counts {
  long launches = -1;
  long synchronizations = -1;
  long event_waits = -1;
  long copies = -1;
  long graph_launches = -1;
};
Counts counts_of(const std::string& output) {
  static const std::regex line(
      "emulated: (\\d+) launches, (\\d+) synchronizations, (\\d+) event waits, (\\d+) copies, "
      "(\\d+) graph launches");
  std::smatch found;
  if (!std::regex_search(output, found, line)) return {};
  return {std::stol(found[1]), std::stol(found[2]), std::stol(found[3]), std::stol(found[4]), std::stol(found[5])};
}

}  // namespace

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

// A step of the cnn at one block a batch.
TEST_F(GpuTraining, AStepOfTheCnnLaunchesAtMostSoManyKernels) {
  const auto launches = [&](const std::string& steps) {
    on_gpus(1, "steps-" + steps, "cnn", {{"max-steps", steps}, {"blocks", "1"}});
    return counts_of(output_.output).launches;
  };
  const long of_eight_steps = launches("10") - launches("2");
  EXPECT_TRUE(of_eight_steps > 0 && of_eight_steps <= 8 * 25) << of_eight_steps;
}

// After the first steps of each kind (two places of batches) the host gives a step away in one call.
TEST_F(GpuTraining, ARecordedStepIsOneLaunch) {
  const auto counts_at = [&](const std::string& steps) {
    on_gpus(1, "steps-" + steps, "cnn", {{"max-steps", steps}, {"cuda-graph", "on"}});
    return counts_of(output_.output);
  };
  const Counts five = counts_at("5");
  const Counts nine = counts_at("9");
  EXPECT_EQ(five.graph_launches, 3);  // two ran as they came
  EXPECT_EQ(nine.graph_launches, 7);
  EXPECT_EQ(nine.launches, five.launches);
}

// Two epochs, the last batch of each smaller; sums over ranks, parts of optimizers and the norm are recorded, too.
TEST_F(GpuTraining, RecordedStepsGiveTheSameBits) {
  struct Case {
    std::string model;
    int ranks;
    Changes options;
  };
  const std::vector<Case> cases = {{"mlp", 1, {{"clip-norm", "0.5"}, {"schedule", "cosine"}}},
                                   {"cnn", 2, {{"optimizer", "adamw"}, {"lr", "0.002"}, {"precision", "bf16"}}},
                                   {"mlp", 2, {{"shard-optimizer", "on"}, {"optimizer", "adamw"}, {"lr", "0.002"}}}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto& [model, ranks, options] = cases[i];
    const std::string name = std::to_string(i);
    const auto want = on_gpus(ranks, name + "-as-they-come", model, options);
    Changes recorded = options;
    recorded["cuda-graph"] = "on";
    for (const std::string seed : {"1", "2"}) {
      const auto got = on_gpus(ranks, name + "-recorded-" + seed, model, recorded, seed);
      EXPECT_TRUE(got.weights() == want.weights()) << i << ", seed " << seed;
      EXPECT_EQ(got.metric("train_loss"), want.metric("train_loss")) << i << ", seed " << seed;
    }
  }
}

TEST_F(GpuTraining, TwoAndFourGpusGiveTheCpusLosses) {
  for (const std::string model : {"mlp", "cnn"}) {
    const auto cpu = on_cpu(model + "-cpu", model);
    for (const int ranks : {2, 4}) {
      const std::string name = model + "-" + std::to_string(ranks);
      EXPECT_TRUE(agree(on_gpus(ranks, name, model), cpu)) << name;
      EXPECT_THAT(output_.output, HasSubstr("on " + std::to_string(ranks) + " ranks"));
    }
  }
}

// Each rank updates a part of the parameters; sums come out as without parts, so the losses do, bit for bit.
TEST_F(GpuTraining, OptimizersInPartsGiveTheSameTraining) {
  for (const std::string optimizer : {"sgd", "adamw"}) {
    const Changes options = {{"optimizer", optimizer},
                             {"lr", "0.005"},
                             {"weight-decay", "0.01"},
                             {"precision", optimizer == "sgd" ? "f32" : "bf16"},
                             {"gradient-precision", optimizer == "sgd" ? "bf16" : "f32"}};
    Changes parts = options;
    parts["shard-optimizer"] = "on";
    const auto want = on_gpus(2, "whole-" + optimizer, "mlp", options);
    const auto got = on_gpus(2, "parts-" + optimizer, "mlp", parts);
    EXPECT_TRUE(got.weights() == want.weights()) << optimizer;
    EXPECT_EQ(got.metric("train_loss"), want.metric("train_loss")) << optimizer;

    parts.insert({{"max-steps", "7"}, {"checkpoint-every", "7"}});
    on_gpus(2, "moved-" + optimizer, "mlp", parts);
    EXPECT_TRUE(agree(on_gpus(1, "moved-" + optimizer, "mlp", options), want, 2e-2)) << optimizer;
    EXPECT_THAT(output_.output, HasSubstr("on 1 rank, until now 2"));
  }
}

// Every sum over ranks is rounded to 8 bits of mantissa on its way.
TEST_F(GpuTraining, GradientsThatTravelInBfloat16GiveNearlyTheSameLosses) {
  const auto want = on_gpus(2, "float32", "mlp");
  const auto got = on_gpus(2, "bfloat16", "mlp", {{"gradient-precision", "bf16"}});
  EXPECT_TRUE(agree(got, want, 2e-2));
  EXPECT_FALSE(agree(got, want, 1e-6));
  EXPECT_TRUE(on_gpus(1, "alone", "mlp", {{"gradient-precision", "bf16"}}).weights() ==
              on_gpus(1, "alone-too", "mlp").weights());
}

TEST_F(GpuTraining, PartsNeedGpusAndADivisorOfSixteen) {
  for (const auto& [program, ranks, reason] :
       {std::tuple{program_on_gpus(), 3, "the number of ranks must divide 16"},
        std::tuple{std::string(LOCKSTEP_TRAIN), 2, "optimizers are spread over GPUs only"}}) {
    auto run = training(program, ranks, "refused", "mlp", {{"shard-optimizer", "on"}});
    const ProgramResult result = run.run();
    EXPECT_EQ(result.exit_code(), 2);
    EXPECT_THAT(result.output, HasSubstr(std::string("--shard-optimizer on: ") + reason));
  }
}

TEST_F(GpuTraining, FourGpusGoOnFromACheckpointOfTwo) {
  const auto whole = on_cpu("whole", "mlp");
  on_gpus(2, "moved", "mlp", {{"max-steps", "7"}, {"checkpoint-every", "7"}});
  EXPECT_TRUE(agree(on_gpus(4, "moved", "mlp"), whole));
  EXPECT_THAT(output_.output, HasSubstr("on 4 ranks, until now 2"));
}

// Eight GPUs are emulated: the ninth rank has none of its own.
TEST_F(GpuTraining, RanksThatWouldShareAGpuAreNamed) {
  auto run = training(program_on_gpus(), 9, "shared", "mlp", {{"device", "cuda"}});
  const ProgramResult result = run.run();
  EXPECT_EQ(result.exit_code(), 2);
  EXPECT_THAT(result.output, HasSubstr("ranks 0, 8 would share one GPU"));
}

// A rank that dies takes the others down, whatever they are in the middle of, and nothing stays.
TEST_F(GpuTraining, ADeadRankEndsTheTraining) {
  auto run = training(program_on_gpus(), 3, "dead", "mlp", {{"device", "cuda"}, {"epochs", "100000"}});
  EXPECT_NE(run.run_and_signal(5, 1, SIGKILL).exit_code(), 0);
  for (const int rank : {0, 1, 2}) {
    const auto process = read_process_file(run.folder().stoppable_file(rank));
    ASSERT_TRUE(process);
    EXPECT_TRUE(wait_until([&] { return !is_alive(*process); }, std::chrono::minutes(1))) << "rank " << rank;
  }
}

// A rank that stands still, before or within a sum: the others' watchdog names it by its silence and ends the job.
TEST_F(GpuTraining, AStoppedRankIsNamedAndTheTrainingEnds) {
  for (const std::string recorded : {"off", "on"}) {
    auto run = training(program_on_gpus(), 3, "stopped-" + recorded, "mlp",
                        {{"device", "cuda"},
                         {"epochs", "100000"},
                         {"cuda-graph", recorded},
                         {"collective-warn", "1"},
                         {"collective-timeout", "3"}});
    const ProgramResult result = run.run_and_signal(5, 2, SIGSTOP);
    EXPECT_EQ(result.exit_code(), 1);
    EXPECT_THAT(result.output, HasSubstr("is not done after 1 s (--collective-warn): "));
    EXPECT_THAT(result.output,
                ::testing::ContainsRegex(
                    "is not done after 3 s \\(--collective-timeout\\): .*2 \\([^)]*, silent for [23] s\\)"));
  }
}

// The error says what wanted how much, how much there is, and what helps.
TEST_F(GpuTraining, TooLittleMemoryIsExplained) {
  const auto error_with = [&](const std::string& bytes) {
    auto run = training(program_on_gpus(), 1, "full", "mlp", {{"device", "cuda"}, {"layers", "4096"}});
    const ProgramResult result = run.run({{"LOCKSTEP_EMULATION_MEMORY", bytes}});
    EXPECT_EQ(result.exit_code(), 1);
    return result.output;
  };
  EXPECT_THAT(error_with("4000000"),
              ::testing::ContainsRegex("gradients: no room for [0-9]+ bytes on CUDA device 0: [0-9]+ of 4000000 are "
                                       "free; a smaller batch needs less"));
  EXPECT_THAT(error_with("6000000"), HasSubstr("the optimizer's state: no room for"));
  EXPECT_THAT(error_with("8000000"), HasSubstr("a sum of gradients over blocks (--blocks): no room for"));
  EXPECT_THAT(error_with("12752000"), HasSubstr("layer 2 (dense1.weight) for 4 images: no room for"));
}

}  // namespace lockstep::testing
