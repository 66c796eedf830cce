// The entrypoint as it is used: as a process, by itself and under mpirun.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/error.hpp"
#include "launcher/entrypoint/entrypoint.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::entrypoint {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BecomeRank : public ::testing::Test {
 protected:
  BecomeRank() {
    folder_.create();
    environment_ = current_environment();
    drop_rank_environment(environment_);
    environment_["LOCKSTEP_RUN_ID"] = folder_.run_id();
    environment_["LOCKSTEP_RUN_DIR"] = folder_.root().string();
    environment_["OMPI_ALLOW_RUN_AS_ROOT"] = environment_["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
  }
  ProgramResult run(std::vector<std::string> command, std::vector<std::string> before = {BECOME_RANK, "--"}) {
    before.insert(before.end(), command.begin(), command.end());
    return run_program({.argv = before, .environment = environment_, .working_folder = temporary_.path()});
  }
  ProgramResult mpirun(int ranks, std::vector<std::string> command, std::vector<std::string> options = {}) {
    std::vector<std::string> argv{"mpirun", "--oversubscribe", "--bind-to", "none", "-np", std::to_string(ranks)};
    argv.push_back(BECOME_RANK);
    argv.insert(argv.end(), options.begin(), options.end());
    argv.emplace_back("--");
    return run(std::move(command), argv);
  }
  std::string log(int rank) const { return read_file(folder_.rank_log(rank)); }

  lockstep::testing::TemporaryFolder temporary_;
  RunFolder folder_{temporary_ / "kind_owl"};
  Environment environment_;
};

TEST_F(BecomeRank, GivesTheCommandsExitCodeAndKeepsItsOutput) {
  const auto result = run({"bash", "-c", "echo out; echo err >&2; exit 7"});
  EXPECT_EQ(result.exit_code(), 7);
  EXPECT_THAT(result.output, IsEmpty()) << "everything is in the log";
  EXPECT_EQ(log(0), "out\nerr\n");
}

TEST_F(BecomeRank, AppendsToTheLogOfAnEarlierStart) {
  run({"echo", "first"});
  run({"echo", "second"});
  EXPECT_EQ(log(0), "first\nsecond\n");
}

TEST_F(BecomeRank, RegistersTheProcessThatTheCommandBecomes) {
  run({"bash", "-c", "echo $$ $(cut -d' ' -f5,22 /proc/$$/stat)"});
  const auto registration = read_registration(folder_, 0).value_or(Registration{});
  EXPECT_EQ(log(0), fmt::format("{0} {1} {2}\n", registration.process.pid, registration.process_group,
                                registration.process.start_time));
  EXPECT_EQ(registration.process_group, registration.process.pid) << "a rank leads its process group";
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  EXPECT_EQ(registration.host, host);
  EXPECT_FALSE(registration.mpi_job);
}

TEST_F(BecomeRank, IsRegisteredBeforeItsCommandRuns) {
  EXPECT_EQ(run({"test", "-s", folder_.rank_file(0).string()}).exit_code(), 0);
}

TEST_F(BecomeRank, HasNullAsInput) {
  run({"bash", "-c", "readlink /proc/self/fd/0; cat"});
  EXPECT_EQ(log(0), "/dev/null\n");
}

TEST_F(BecomeRank, PassesArgumentsAsTheyAre) {
  run({"printf", "%s|", "a b", "", "$HOME", "*", "ä\n;"});
  EXPECT_EQ(log(0), "a b||$HOME|*|ä\n;|");
}

TEST_F(BecomeRank, SaysWhichCommandItDidNotFind) {
  EXPECT_EQ(run({"lockstep-no-such-program"}).exit_code(), 127);
  EXPECT_THAT(log(0), HasSubstr("rank 0 on "));
  EXPECT_THAT(log(0), HasSubstr("lockstep-no-such-program: command not found"));
}

TEST_F(BecomeRank, NamesTheNearestCommand) {
  environment_["PATH"] = (temporary_ / "bin").string();
  fs::create_directory(temporary_ / "bin");
  write_file_atomically(temporary_ / "bin" / "python3", "#!/bin/sh\n", 0755);
  write_file_atomically(temporary_ / "bin" / "pythn3.txt", "no program\n", 0644);
  EXPECT_EQ(run({"pythn3"}).exit_code(), 127);
  EXPECT_THAT(log(0), HasSubstr("pythn3: command not found; did you mean 'python3'?"));
  EXPECT_EQ(run({"bin/pyton3"}).exit_code(), 127);
  EXPECT_THAT(log(0), HasSubstr("did you mean 'bin/python3'?"));
}

TEST_F(BecomeRank, SaysWhyACommandCannotBeExecuted) {
  write_file_atomically(temporary_ / "plain", "echo\n", 0644);
  write_file_atomically(temporary_ / "lost", "#!/no/such/interpreter\n", 0755);
  write_file_atomically(temporary_ / "text", "just text\n", 0755);
  EXPECT_EQ(run({"./plain"}).exit_code(), 126);
  EXPECT_THAT(log(0), HasSubstr("./plain: not executable"));
  EXPECT_EQ(run({"./lost"}).exit_code(), 126);
  EXPECT_THAT(log(0), HasSubstr("its interpreter"));
  EXPECT_EQ(run({"./text"}).exit_code(), 126);
  EXPECT_THAT(log(0), HasSubstr("neither a program nor a script"));
}

TEST_F(BecomeRank, SaysWhenItsLogCannotBeOpened) {
  fs::remove_all(folder_.logs());
  const auto result = run({"true"});
  EXPECT_EQ(result.exit_code(), 126);
  EXPECT_THAT(result.output, HasSubstr(folder_.rank_log(0).string()));
}

TEST_F(BecomeRank, OutsideOfARunOnlySetsTheEnvironment) {
  environment_.erase("LOCKSTEP_RUN_ID");
  environment_.erase("LOCKSTEP_RUN_DIR");
  environment_.insert({{"RANK", "1"}, {"WORLD_SIZE", "2"}});
  const auto result = run({"bash", "-c", "echo $AZUREML_PROCESS_NAME ${AZUREML_RUN_ID-unset}"});
  EXPECT_EQ(result.exit_code(), 0);
  EXPECT_EQ(result.output, "rank_1 unset\n");
  EXPECT_TRUE(fs::is_empty(folder_.ranks()));
}

TEST_F(BecomeRank, GivesEachRankOfMpirunItsPlaceAndLog) {
  const auto result =
      mpirun(4, {"bash", "-c", "echo $OMPI_COMM_WORLD_LOCAL_RANK $RANK/$WORLD_SIZE $NODE_RANK/$LOCAL_RANK"},
             {"--procs-per-node", "2"});
  EXPECT_EQ(result.exit_code(), 0) << result.output;
  EXPECT_EQ(log(0), "0 0/4 0/0\n");
  EXPECT_EQ(log(1), "1 1/4 0/1\n");
  EXPECT_EQ(log(2), "2 2/4 1/0\n");
  EXPECT_EQ(log(3), "3 3/4 1/1\n");
  const auto all = read_registrations(folder_);
  ASSERT_EQ(all.size(), 4U);
  for (const auto& each : all) {
    EXPECT_EQ(each.process_group, each.process.pid) << each.rank;
    EXPECT_THAT(each.mpi_job.value_or(MpiJob{}).session_folder.string(), HasSubstr("/pid.")) << each.rank;
  }
}

TEST_F(BecomeRank, LeavesMpirunTheExitCode) {
  EXPECT_EQ(mpirun(2, {"bash", "-c", "exit $((RANK * 5))"}).exit_code(), 5);
  EXPECT_EQ(mpirun(1, {"lockstep-no-such-program"}).exit_code(), 127);
}

}  // namespace
}  // namespace lockstep::entrypoint
