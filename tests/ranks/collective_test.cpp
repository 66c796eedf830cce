#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/ranks/mpi_run.hpp"

namespace lockstep {

class Collective : public ::testing::TestWithParam<int> {};

TEST_P(Collective, SumsExactlyAgreesAndGivesTheSameBitsEverywhere) {
  const auto result = testing::run_mpi(GetParam(), {COLLECTIVE_CHECK});
  EXPECT_EQ(result.exit_code(), 0) << result.output;
  EXPECT_THAT(result.output, ::testing::HasSubstr(std::to_string(GetParam()) + " ranks checked"));
}
INSTANTIATE_TEST_SUITE_P(Ranks, Collective, ::testing::Values(1, 2, 3, 4, 8));

TEST(CollectiveAlone, NeedsNoMpirun) {
  ProgramSpec program;
  program.argv = {COLLECTIVE_CHECK};
  const auto result = run_program(program);
  EXPECT_EQ(result.exit_code(), 0) << result.output;
  EXPECT_THAT(result.output, ::testing::HasSubstr("1 ranks checked"));
}

TEST(CollectiveAlone, SaysSoWhenSrunGaveItNoPmix) {
  ProgramSpec program;
  program.argv = {LOCKSTEP_TRAIN, "--data", "/nowhere"};
  program.environment = {{"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "0"}};
  const auto result = run_program(program);
  EXPECT_EQ(result.exit_code(), 2);
  EXPECT_THAT(result.output, ::testing::HasSubstr("use srun --mpi=pmix"));
}

}  // namespace lockstep
