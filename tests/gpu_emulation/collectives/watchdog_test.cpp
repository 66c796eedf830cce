// Ranks under mpirun, one of which lets the others down: the job ends, says why, and leaves no process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "tests/gpu_emulation/collectives/ras_stand_in.hpp"
#include "tests/ranks/mpi_run.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

// tests/mutation puts a changed program in its place.
std::string gpu_rank() {
  const char* other = std::getenv("LOCKSTEP_GPU_RANK");
  return other != nullptr ? other : GPU_RANK;
}

std::vector<pid_t> pids_in(const std::string& output) {
  std::vector<pid_t> pids;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("pid ")) pids.push_back(std::stoi(line.substr(4)));
  }
  return pids;
}

// Three ranks, and the mishap of one.
ProgramResult run_with(const std::string& mishap, int rank, const Environment& extra = {},
                       std::vector<std::string> mpirun_options = {}) {
  mpirun_options.insert(mpirun_options.end(), {gpu_rank(), mishap, std::to_string(rank)});
  const auto result = testing::run_mpi(3, mpirun_options, extra);
  const auto pids = pids_in(result.output);
  EXPECT_EQ(pids.size(), 3U) << result.output;
  for (const pid_t pid : pids) {
    EXPECT_TRUE(testing::wait_until([&] { return !start_time_of(pid); })) << pid << " is left\n" << result.output;
  }
  return result;
}

class RanksOnGpus : public ::testing::TestWithParam<int> {};
TEST_P(RanksOnGpus, SumExactly) {
  const auto result = testing::run_mpi(GetParam(), {gpu_rank(), "sums"});
  EXPECT_EQ(result.exit_code(), 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr(std::to_string(GetParam()) + " ranks checked"));
}
INSTANTIATE_TEST_SUITE_P(Ranks, RanksOnGpus, ::testing::Values(1, 2, 4));

TEST(Watchdog, NamesARankThatStandsStillAndEndsTheJob) {
  const auto result = run_with("stands_still", 1);
  EXPECT_EQ(result.exit_code(), 1) << result.output;
  EXPECT_THAT(result.output, ContainsRegex("lockstep-train: all-reduce 4 \\(0.0 MiB\\) is not done after 0.5 s "
                                           "\\(--collective-warn\\): rank 1 \\([^ ]+, at 3\\) has not reached it\n"));
  EXPECT_THAT(result.output,
              ContainsRegex("all-reduce 4 \\(0.0 MiB\\) is not done after 2 s \\(--collective-timeout\\): "
                            "rank 1 \\([^ ]+, at 3\\) has not reached it. So the job ends."));
}

TEST(Watchdog, TellsAGpuThatStandsStill) {
  const auto result = run_with("hangs_its_gpu", 1);
  EXPECT_EQ(result.exit_code(), 1) << result.output;
  EXPECT_THAT(result.output, ContainsRegex("rank 1 \\([^ ]+, at 3, 1 more queued\\) has not reached it. So the job"));
}

TEST(Watchdog, NamesRankZeroToo) {
  const auto result = run_with("stands_still", 0);
  EXPECT_EQ(result.exit_code(), 1) << result.output;
  EXPECT_THAT(result.output, ContainsRegex("--collective-timeout\\): rank 0 \\([^ ]+, at 3\\) has not reached it"));
}

TEST(Watchdog, NamesARankThatHasLeft) {
  const auto result = run_with("leaves", 2);
  EXPECT_EQ(result.exit_code(), 1) << result.output;
  EXPECT_THAT(result.output, ContainsRegex("rank 2 \\([^ ]+, at 3, leaving\\) has not reached it. So the job ends"));
}

TEST(Watchdog, EndsTheJobWhenRankZeroCannot) {
  const auto result = run_with("stops", 0);
  EXPECT_EQ(result.exit_code(), 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("and rank 0, which should have ended the job, has not"));
}

TEST(Watchdog, EndsTheJobAtOnceForAnErrorOfNccl) {
  const auto result = run_with("loses_nccl", 2);
  EXPECT_EQ(result.exit_code(), 1) << result.output;
  EXPECT_THAT(result.output,
              ContainsRegex("rank 2 on [^ ]+: NCCL failed in collective 4: remote process exited or there "
                            "was a network error: injected by a test"));
  EXPECT_THAT(result.output, Not(HasSubstr("--collective-timeout")));
}

TEST(Watchdog, LeavesTheErrorOfARankToThatRank) {
  const auto result = run_with("throws", 1);
  EXPECT_EQ(result.exit_code(), 1) << result.output;
  EXPECT_THAT(result.output, ContainsRegex("rank 1 on [^ ]+: an error of its own"));
  EXPECT_THAT(result.output, Not(HasSubstr("lockstep-train: "))) << "the others have nothing to add";
}

TEST(Watchdog, LeavesAKilledRankToWhoeverStartedIt) {
  const auto result = run_with("is_killed", 2);
  EXPECT_EQ(result.exit_code(), 128 + 9) << result.output;
  EXPECT_THAT(result.output, HasSubstr("signal 9"));
}

// As under a launcher that lets the others go on.
TEST(Watchdog, EndsTheJobWhenARankIsGoneAndNobodyElseDoes) {
  const auto result = run_with("is_killed", 2, {}, {"--enable-recovery"});
  EXPECT_THAT(result.output,
              ContainsRegex("rank [01] on [^ ]+: rank 2 on [^ ]+ is gone without a word \\(killed\\?\\)"));
}

TEST(Watchdog, AddsWhatNcclKnows) {
  testing::RasStandIn ras("some status\n");
  const auto result = run_with("stands_still", 1, {{"NCCL_RAS_ADDR", ras.address()}});
  EXPECT_EQ(result.exit_code(), 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("what NCCL knows of the job:\nsome status\n"));
}

}  // namespace
}  // namespace lockstep
