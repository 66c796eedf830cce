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
};
Counts counts_of(const std::string& output) {
  static const std::regex line("emulated: (\\d+) launches, (\\d+) synchronizations, (\\d+) event waits, (\\d+) copies");
  std::smatch found;
  if (!std::regex_search(output, found, line)) return {};
  return {std::stol(found[1]), std::stol(found[2]), std::stol(found[3]), std::stol(found[4])};
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

// A step of the cnn at four blocks a batch: what the launches are spent on stands in docs/gpu.md.
TEST_F(GpuTraining, AStepOfTheCnnLaunchesAtMostSoManyKernels) {
  const auto launches = [&](const std::string& steps) {
    on_gpus(1, "steps-" + steps, "cnn", {{"max-steps", steps}, {"blocks", "1"}});
    return counts_of(output_.output).launches;
  };
  const long of_eight_steps = launches("10") - launches("2");
  EXPECT_TRUE(of_eight_steps > 0 && of_eight_steps <= 8 * 40) << of_eight_steps;
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
  EXPECT_THAT(error_with("12260000"), HasSubstr("layer 2 (dense1.weight) for 4 images: no room for"));
}

}  // namespace lockstep::testing
