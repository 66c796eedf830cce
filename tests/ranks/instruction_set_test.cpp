// One instruction set, the same bits: on other processors (tests/support/other_processor.cpp), with other caches, with
// another libm, in a run on mixed machines.
#include <asm/prctl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernels/instruction_set.hpp"
#include "tests/ranks/training_run.hpp"

namespace lockstep {

using ::testing::HasSubstr;
using testing::TrainingRun;

namespace {
constexpr const char* without_avx2_and_fma = "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F";

std::string highest_here() { return kernels::name_of(kernels::instruction_set_of_this_cpu()); }

// All that this CPU has, the lowest first.
std::vector<std::string> sets_here() {
  std::vector<std::string> names;
  for (const char* name : {"sse41", "avx", "avx2", "avx512_core"}) {
    names.emplace_back(name);
    if (name == highest_here()) break;
  }
  return names;
}

// What keeps another processor from being played here; empty: nothing does.
std::string why_no_other_processor() {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  return "skipped: sanitizers take the signal by which another processor is played";
#else
  const bool can = ::syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1) == 0;
  return can ? "" : "skipped: on this machine the CPUID instruction can't be made to fault";
#endif
}

struct Processor {
  std::string set;
  std::string caches = "unknown";
};

class InstructionSets : public ::testing::Test {
 protected:
  InstructionSets() { testing::write_synthetic_data(folder_.path(), {.count = 96, .side = 28}); }

  // 6 steps of everything that may round: a dropout, a clipped norm, AdamW, a cosine.
  std::vector<std::string> options(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {
        "--data",     folder_.path(), "--model",   "cnn",         "--layers",    "32,64", "--batch-size",
        "32",         "--epochs",     "2",         "--optimizer", "adamw",       "--lr",  "0.001",
        "--schedule", "cosine",       "--dropout", "0.2",         "--clip-norm", "1",     "--log-every",
        "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  TrainingRun train(const std::string& name, const std::vector<std::string>& more, const Environment& extra = {},
                    int ranks = 1) {
    TrainingRun run(ranks, folder_ / name, options(more));
    const auto result = run.run(extra);
    EXPECT_EQ(result.exit_code(), 0) << result.output;
    output_ = result.output;
    return run;
  }

  static std::vector<std::string> on(const Processor& processor, std::vector<std::string> program) {
    std::vector<std::string> all = {"env", "LD_AUDIT=" OTHER_PROCESSOR, "LOCKSTEP_TEST_PROCESSOR=" + processor.set,
                                    "LOCKSTEP_TEST_CACHES=" + processor.caches};
    all.insert(all.end(), program.begin(), program.end());
    return all;
  }

  // One rank, on another processor.
  TrainingRun train_on(const Processor& processor, const std::string& name, std::vector<std::string> more) {
    more = options(more);
    more.insert(more.begin(), LOCKSTEP_TRAIN);
    std::vector<std::string> command = on(processor, more);
    const std::string program = command.front();
    command.erase(command.begin());
    TrainingRun run(1, folder_ / name, command, program);
    const auto result = run.run({{"GLIBC_TUNABLES", without_avx2_and_fma}});
    EXPECT_EQ(result.exit_code(), 0) << result.output;
    output_ = result.output;
    return run;
  }

  static void expect_same_bits(const TrainingRun& a, const TrainingRun& b) {
    EXPECT_FALSE(a.weights().empty());
    EXPECT_TRUE(a.weights() == b.weights());
    EXPECT_EQ(a.metric("train_loss").size(), 6U);
    EXPECT_EQ(a.metric("train_loss"), b.metric("train_loss"));
    EXPECT_EQ(a.metric("learning_rate"), b.metric("learning_rate"));
  }

  // Rank 0 runs the first command, rank 1 the second.
  ProgramResult run_pair(const std::vector<std::string>& first, const std::vector<std::string>& second,
                         const RunFolder& run) {
    std::vector<std::string> both = first;
    both.insert(both.end(), {":", "-np", "1"});
    both.insert(both.end(), second.begin(), second.end());
    return testing::run_mpi(1, both, {{"LOCKSTEP_RUN_DIR", run.root()}});
  }
  std::vector<std::string> command(const std::vector<std::string>& more) const {
    std::vector<std::string> all = options(more);
    all.insert(all.begin(), LOCKSTEP_TRAIN);
    return all;
  }

  testing::TemporaryFolder folder_;
  std::string output_;
};
}  // namespace

TEST_F(InstructionSets, TheRunSaysWhichItUsed) {
  for (const std::string& set : sets_here()) {
    const auto run = train(set, {"--isa", set, "--max-steps", "1"});
    EXPECT_EQ(run.parameter("isa"), set);
    EXPECT_EQ(run.parameter("isa_used"), set);
    EXPECT_EQ(run.parameter("isa_of_ranks"), "");
    EXPECT_EQ(run.tag("lockstep.isa_used"), set);
    EXPECT_THAT(output_, HasSubstr("1 thread, " + set));
  }
  const auto run = train("native", {"--max-steps", "1"});
  EXPECT_EQ(run.parameter("isa"), "native");
  EXPECT_EQ(run.parameter("isa_used"), highest_here());
}

TEST_F(InstructionSets, OneCapGivesTheSameBitsWithAnotherLibm) {
  const auto digest = [](const Environment& extra) { return testing::run_mpi(1, {LIBM_DIGEST}, extra).output; };
  if (__builtin_cpu_supports("fma") != 0) {  // so that it is another
    EXPECT_NE(digest({}), digest({{"GLIBC_TUNABLES", without_avx2_and_fma}}));
  }
  std::vector<std::string> weights;
  for (const std::string& set : sets_here()) {
    const auto one = train(set + "-1", {"--isa", set});
    expect_same_bits(one, train(set + "-2", {"--isa", set}));
    expect_same_bits(one, train(set + "-libm", {"--isa", set}, {{"GLIBC_TUNABLES", without_avx2_and_fma}}));
    expect_same_bits(one, train(set + "-ranks", {"--isa", set}, {}, 2));
    weights.push_back(one.weights());
  }
  for (std::size_t i = 1; i < weights.size(); ++i) EXPECT_FALSE(weights[i] == weights[i - 1]) << sets_here()[i];
}

TEST_F(InstructionSets, ACapGivesTheBitsOfAProcessorThatHasNoMore) {
  if (const std::string why = why_no_other_processor(); !why.empty()) GTEST_SKIP() << why;
  for (const std::string& set : sets_here()) {
    const auto here = train(set, {"--isa", set});
    for (const char* caches : {"unknown", "32768,131072", "49152,2097152"}) {
      const auto there = train_on({set, caches}, set + "-on-" + caches, {});
      EXPECT_EQ(there.parameter("isa_used"), set);
      expect_same_bits(there, here);
    }
  }
}

// Which is why it has to be asked for; and other caches are seen, so the test above can fail.
TEST_F(InstructionSets, WinogradsBitsDependOnTheCaches) {
  if (const std::string why = why_no_other_processor(); !why.empty()) GTEST_SKIP() << why;
  if (highest_here() != "avx512_core") GTEST_SKIP() << "skipped: oneDNN has Winograd for AVX-512 only";
  const auto small = train_on({"avx512_core", "32768,131072"}, "small", {"--convolutions", "winograd"});
  const auto large = train_on({"avx512_core", "49152,2097152"}, "large", {"--convolutions", "winograd"});
  EXPECT_FALSE(small.weights() == large.weights());
}

TEST_F(InstructionSets, RanksUseTheHighestThatAllOfThemMay) {
  if (sets_here().size() < 3) GTEST_SKIP() << "skipped: this CPU has no AVX2";
  const TrainingRun run(2, folder_ / "mixed", {});
  const auto result = run_pair(command({"--isa", "avx2"}), command({"--isa", "sse41"}), run.folder());
  ASSERT_EQ(result.exit_code(), 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("sse41, the highest that all ranks may use (rank 1 sse41; rank 0 avx2)"));
  EXPECT_EQ(run.parameter("isa_used"), "sse41");
  EXPECT_EQ(run.parameter("isa_of_ranks"), "rank 1 sse41; rank 0 avx2");
  expect_same_bits(run, train("all", {"--isa", "sse41"}, {}, 2));
}

TEST_F(InstructionSets, ARunOnMixedMachinesUsesWhatTheOldestHas) {
  if (const std::string why = why_no_other_processor(); !why.empty()) GTEST_SKIP() << why;
  const TrainingRun run(2, folder_ / "mixed", {});
  const auto result = run_pair(command({}), on({"avx", "32768,262144"}, command({})), run.folder());
  ASSERT_EQ(result.exit_code(), 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("avx, the highest that all ranks may use (rank 1 avx; rank 0 "));
  expect_same_bits(run, train("all", {"--isa", "avx"}, {}, 2));
}

TEST_F(InstructionSets, WhatTheCpuLacksIsAnErrorOfTheRankThatLacksIt) {
  if (const std::string why = why_no_other_processor(); !why.empty()) GTEST_SKIP() << why;
  const TrainingRun run(2, folder_ / "lacking", {});
  const std::string wanted = highest_here();
  ASSERT_NE(wanted, "sse41");
  const auto asks = command({"--isa", wanted});
  const auto result = run_pair(asks, on({"sse41"}, asks), run.folder());
  EXPECT_EQ(result.exit_code(), 2) << result.output;
  EXPECT_THAT(result.output, HasSubstr("rank 1 on "));
  EXPECT_THAT(result.output,
              HasSubstr("--isa " + wanted + ": this CPU has no more than sse41; give --isa sse41, or native"));
  EXPECT_FALSE(fs::exists(run.folder().journal(0)));
}

TEST_F(InstructionSets, AResumedRunSaysThatTheSetChanged) {
  if (sets_here().size() < 3) GTEST_SKIP() << "skipped: this CPU has no AVX2";
  train("run", {"--isa", "avx2", "--max-steps", "2", "--checkpoint-every", "2"});
  auto run = train("run", {"--isa", "sse41"});
  EXPECT_THAT(output_, HasSubstr("with sse41 instructions, until now avx2: the same data, rounded otherwise"));
  EXPECT_EQ(run.tag("lockstep.isa_used"), "sse41");
  run = train("same", {"--isa", "avx2", "--max-steps", "2", "--checkpoint-every", "2"});
  run = train("same", {"--isa", "avx2"});
  EXPECT_THAT(output_, HasSubstr("goes on from"));
  EXPECT_THAT(output_, ::testing::Not(HasSubstr("instructions, until now")));
}

TEST_F(InstructionSets, OneDnnsOwnVariablesCapOrAreRefused) {
  const auto run = train("capped", {"--max-steps", "1"}, {{"ONEDNN_MAX_CPU_ISA", "SSE41"}});
  EXPECT_EQ(run.parameter("isa_used"), "sse41");
  for (const auto& [name, value] : {std::pair{"ONEDNN_MAX_CPU_ISA", "AVX512_MIC"},
                                    {"DNNL_DEFAULT_FPMATH_MODE", "BF16"},
                                    {"ONEDNN_CPU_ISA_HINTS", "PREFER_YMM"}}) {
    TrainingRun refused(2, folder_ / "refused", options({}));
    const auto result = refused.run({{name, value}});
    EXPECT_EQ(result.exit_code(), 2) << result.output;
    EXPECT_THAT(result.output, HasSubstr(std::string(name) + "="));
    EXPECT_THAT(result.output, HasSubstr("unset it"));
  }
}

}  // namespace lockstep
